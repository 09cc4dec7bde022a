// A small server whose tasks run in a pool, for the bundlers of this folder. It asks itself once,
// prints the answer and ends.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { Pool } from 'telar'

const pool = new Pool({ filename: new URL('./tasks.mjs', import.meta.url).href, maxThreads: 2 })

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost')
  response.end(JSON.stringify(await pool.run(Number(searchParams.get('n')))))
})

server.listen(0, '127.0.0.1')
await once(server, 'listening')

const answer = await fetch(`http://127.0.0.1:${server.address().port}/?n=21`)
console.log(await answer.json())
server.close()
await pool.close()
