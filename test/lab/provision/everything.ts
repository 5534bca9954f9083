import { npmLocalsend, rustLocalsend } from '../../localsend-peers/software.ts'
import { mcpInspector } from '../../verbs/inspector.ts'
import type { Log } from '../run.ts'
import { natsServer } from './go.ts'
import { provision } from './provision.ts'

/** Makes all that the tests need and this machine lacks, side by side: hosts, tailnet, and others' programs. */
export const provisionAll = async (log: Log): Promise<void> => {
  await Promise.all([
    provision(true, log),
    npmLocalsend(log),
    rustLocalsend(log),
    mcpInspector(log),
    natsServer.provide(log),
  ])
}
