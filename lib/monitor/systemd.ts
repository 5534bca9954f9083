/** Names and texts of a systemd user service and the timer that starts it every so many minutes of the hour. */
export function systemdUnits(every: number, argv: readonly string[]): { name: string; text: string }[] {
  return [
    {
      name: 'resource-sharing.service',
      text: `[Unit]
Description=Trit and busy processes of this machine

[Service]
Type=oneshot
ExecStart=${argv.map(unitWord).join(' ')}
`,
    },
    {
      name: 'resource-sharing.timer',
      text: `[Unit]
Description=Trit and busy processes of this machine, every ${every} min

[Timer]
OnCalendar=*:0/${every}

[Install]
WantedBy=timers.target
`,
    },
  ]
}

/** One word of a command line as systemd.service(5) reads it: `%` and `$` are doubled, C escapes between quotes. */
export function unitWord(text: string, position: number): string {
  const literal = text.replaceAll('%', '%%').replaceAll('$', () => (position === 0 ? '$' : '$$'))
  if (/^[\w@+=:,./%$-]+$/.test(text)) return literal
  return `"${literal.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
