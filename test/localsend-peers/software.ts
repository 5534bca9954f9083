import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { provide } from '../lab/cache.ts'
import { type Log, run } from '../lab/run.ts'

const NPM_VERSION = '0.1.2'
const CRATE_VERSION = '0.1.2'

/**
 * The command line of CrossCopy's LocalSend in TypeScript, npm `localsend`: one file with all it needs inside, HTTP
 * when it sends and when it receives. It scans the networks it finds for peers when it receives: only ever run it
 * inside a lab host.
 */
export async function npmLocalsend(log: Log): Promise<string> {
  const folder = await provide(
    {
      key: `npm-localsend-${NPM_VERSION}`,
      label: `npm localsend ${NPM_VERSION}`,
      expected: '10 s',
      make: async (made) => {
        await run(['npm', 'pack', '--silent', '--pack-destination', made, `localsend@${NPM_VERSION}`], {
          cwd: made,
          timeoutMs: 120_000,
        })
        await run(['tar', '-xzf', join(made, `localsend-${NPM_VERSION}.tgz`), '-C', made])
      },
    },
    log,
  )
  return join(folder, 'package', 'dist', 'cli.js')
}

/** The command line of CrossCopy's LocalSend in Rust, crate `localsend-rs`, or why there is none. */
export async function rustLocalsend(log: Log): Promise<{ path: string } | { leftOut: string }> {
  try {
    await run(['cargo', '--version'])
  } catch {
    return { leftOut: 'no cargo on this machine to build it with' }
  }
  try {
    const folder = await provide(
      {
        key: `localsend-rs-${CRATE_VERSION}`,
        label: `crate localsend-rs ${CRATE_VERSION}`,
        expected: '4 min',
        make: async (made) => {
          // In here, so that a build that was cut short is removed with the rest.
          const target = join(made, 'target')
          const args = ['--locked', '--debug', '--root', made, `localsend-rs@${CRATE_VERSION}`]
          await run(['cargo', 'install', '--quiet', ...args], {
            env: { CARGO_TARGET_DIR: target },
            timeoutMs: 1_200_000,
          })
          await rm(target, { recursive: true, force: true })
        },
      },
      log,
    )
    return { path: join(folder, 'bin', 'localsend-rs') }
  } catch (error) {
    // An older cargo cannot build it; where everything is to be tested, that is no excuse.
    if (process.env.CI !== undefined && process.env.CI !== '') throw error
    return { leftOut: error instanceof Error ? error.message : String(error) }
  }
}
