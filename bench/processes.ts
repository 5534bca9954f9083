/**
 * processes: how long scum-view takes among many processes, beside ps and the time that it has to look twice.
 *
 * Usage: just bench processes [PROCESSES] [--rounds N]     2000, 7 rounds
 *
 * On one host of the lab. The ratio is to ps and the window together.
 */
import { parseArgs } from 'node:util'
import { openLab } from '../test/lab/lab.ts'
import { inTurns } from './hyperfine.ts'
import { median, report, rowOf } from './report.ts'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '7' } },
  allowPositionals: true,
})
const processes = Number(positionals[0] ?? '2000')
const WINDOW_SECONDS = 0.5
const CROWD = `import os, time
for _ in range(${processes}):
    if not os.fork():
        time.sleep(3600)
        os._exit(0)
open('/run/crowd', 'w').close()
time.sleep(3600)`
const PS = 'ps axo pid,pcpu,pmem,comm'
const VIEW = `node cli/start.mjs scripts/scum-view.ts --json -n 5000 --window ${WINDOW_SECONDS * 1000}`

const lab = await openLab({ instance: 'bench', hosts: 1, tailnet: false })
try {
  await lab.exec('n1', ['sh', '-c', 'setsid python3 - </dev/stdin >/dev/null 2>&1 & cat >/dev/null'], {
    input: CROWD,
  })
  await lab.exec('n1', ['sh', '-c', 'until [ -e /run/crowd ]; do sleep 0.1; done'])
  const { stdout } = await lab.exec('n1', ['sh', '-c', 'ps axo pid= | wc -l'])
  if (Number(stdout) < processes) throw new Error(`there are ${stdout} processes`)
  const [ps = [], view = []] = (await inTurns(lab, [PS, VIEW], { rounds: Number(values.rounds) })).map(
    (all) => all.map(({ seconds }) => seconds),
  )
  const least = median(ps) + WINDOW_SECONDS
  const name = `${processes} processes`
  const rows = [rowOf(name, 'ps', 's', ps, least), rowOf(name, 'scum-view', 's', view, least)]
  report('processes', rows, `ps + ${WINDOW_SECONDS} s`)
} finally {
  await lab.close()
}
