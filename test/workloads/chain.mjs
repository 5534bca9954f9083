// As chain.py: computes what depends on every step before, and writes it to `result`; slowly, until `gate` is there.
import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

let value = '0'
for (let step = 0; step < 20_000; step += 1) {
  value = createHash('sha256').update(value).digest('hex')
  if (step === 100) writeFileSync('half', '')
  // What reads files is done by threads, or by io_uring.
  if (step % 1000 === 0) await readFile('/etc/hostname')
  if (step >= 100 && step % 10 === 0 && !existsSync('gate')) await sleep(50)
}
writeFileSync('result', `${value}\n`)
