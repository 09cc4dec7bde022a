// The types of a proxy where a bundler resolves modules, and the extension may be that of
// TypeScript.

import { Pool } from 'telar'

const pool = new Pool({ filename: new URL('../work.ts', import.meta.url) })
const api = pool.proxy<typeof import('../work.ts')>()
const sum: number = await api.add(1, 2)
const again: number = await pool.proxy<typeof import('../work')>().add(1, 2)

export { again, sum }
