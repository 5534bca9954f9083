import { channel } from 'node:diagnostics_channel'

export type StartedCommand = { file: string; args: readonly string[] }

/** Told of each command of another program as it begins, without what it is given to read: a `StartedCommand`. */
export const commandsStarted = channel('resource-sharing.command')
