// Counts, and sums up its memory, as counter.py does, in Node: counter.mjs FOLDER BYTES
import { createHash, randomBytes } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'

const [, , folder, size] = process.argv
const ballast = randomBytes(Number(size))
const log = openSync(`${folder}/0.0`, 'a')
const sums = openSync(`${folder}/0.sums`, 'a')
const seconds = () => (Date.now() / 1000).toFixed(6)
let number = 0
setInterval(() => {
  if (number % 50 === 0) {
    writeSync(sums, `${seconds()} ${createHash('sha256').update(ballast).digest('hex')}\n`)
  }
  number += 1
  writeSync(log, `${number} ${seconds()}\n`)
}, 10)
