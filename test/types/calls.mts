// The same, seen from an ES module: the type of a file by its name with an extension.

import { Pool } from 'telar'

const pool = new Pool({ filename: new URL('./work.js', import.meta.url) })
const api = pool.proxy<typeof import('./work.js')>()
const sum: number = await api.add(1, 2)
const { width }: { width: number } = await api.resize.with({ timeout: 5 })(
  { data: new Uint8Array(4), width: 1, height: 1 }, 200)

export { sum, width }
