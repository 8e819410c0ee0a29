/** A query a line, as JSON text; the module's folder is the first word. */
const { createInterface } = require('node:readline')
const { query } = require(process.argv[2])

createInterface({ input: process.stdin }).on('line', (line) => {
  let said
  try {
    const text = String(query(JSON.parse(line), 'JSONEachRow'))
    const rows = text.split('\n').filter((row) => row !== '')
    said = { rows: rows.map((row) => JSON.parse(row)) }
  } catch (error) {
    said = { error: error.message }
  }
  process.stdout.write(`${JSON.stringify(said)}\n`)
})
