'use strict'

// The same server as CommonJS.

const { createServer } = require('node:http')
const path = require('node:path')
const { Pool } = require('telar')

const pool = new Pool({ filename: path.join(__dirname, 'tasks.cjs'), maxThreads: 2 })

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost')
  response.end(JSON.stringify(await pool.run(Number(searchParams.get('n')))))
})

server.listen(0, '127.0.0.1', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/?n=21`)
  console.log(await answer.json())
  server.close()
  await pool.close()
})
