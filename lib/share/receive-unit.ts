import { unitWord } from '../monitor/systemd.ts'

export const UNIT_NAME = 'resource-sharing-receive.service'

/** The text of a systemd user service that receives from the start of the session on. */
export function receiveUnit(argv: readonly string[]): string {
  return `[Unit]
Description=LocalSend receiver of this machine

[Service]
ExecStart=${argv.map((word, position) => unitWord(word, position)).join(' ')}
Restart=on-failure
RestartSec=30
# It is told to end by SIGTERM, and says that it was.
SuccessExitStatus=130
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`
}
