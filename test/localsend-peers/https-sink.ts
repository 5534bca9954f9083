// Keeps the body of every PUT in a folder: what `curl -T` sends to, as a measure of Node's own TLS and disk.
// Usage: https-sink.ts PORT FOLDER CERTIFICATE KEY
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const [port, folder = '.', certificate = '', key = ''] = process.argv.slice(2)

createServer({ cert: await readFile(certificate), key: await readFile(key) }, (incoming, response) => {
  const file = join(folder, basename(new URL(incoming.url ?? '/', 'https://sink').pathname))
  pipeline(incoming, createWriteStream(file)).then(
    () => response.writeHead(201).end(),
    () => response.writeHead(500).end(),
  )
}).listen(Number(port), '0.0.0.0')
