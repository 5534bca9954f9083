import { userInfo } from 'node:os'
import { unitWord } from './systemd.ts'

/** A file for the system's own manager of services: where it goes, what is in it, and what starts it then. */
export type Unit = { name: string; text: string; path: string; start: string }

const NAME = 'resource-sharing-agent'
const LABEL = 'resource-sharing.agent'

/**
 * A systemd service, of this user's or of the system, that runs a program for as long as the machine does. It may have a
 * tenth of a CPU and 128 MB, and gives way to everybody else.
 */
export function systemdService(argv: readonly string[], system: boolean): Unit {
  const name = `${NAME}.service`
  const control = system ? 'systemctl' : 'systemctl --user'
  return {
    name,
    path: system ? `/etc/systemd/system/${name}` : `~/.config/systemd/user/${name}`,
    start: `${control} enable --now ${name}`,
    text: `[Unit]
Description=Tells the load of this machine to the mesh
${system ? 'Wants=network-online.target\nAfter=network-online.target\n' : ''}
[Service]
ExecStart=${argv.map((word, position) => unitWord(word, position)).join(' ')}
${system ? `User=${userInfo().username}\n` : ''}Restart=always
RestartSec=30
# It is told to end by SIGTERM, and says that it was.
SuccessExitStatus=130
Nice=10
CPUQuota=10%
MemoryMax=128M
NoNewPrivileges=yes

[Install]
WantedBy=${system ? 'multi-user.target' : 'default.target'}
`,
  }
}

/** The same for launchd of macOS: an agent of this user's, or a daemon of the system. */
export function launchdPlist(argv: readonly string[], system: boolean): Unit {
  const name = `${LABEL}.plist`
  const path = system ? `/Library/LaunchDaemons/${name}` : `~/Library/LaunchAgents/${name}`
  const words = argv.map((word) => `    <string>${xml(word)}</string>`).join('\n')
  return {
    name,
    path,
    start: system ? `sudo launchctl bootstrap system ${path}` : `launchctl bootstrap gui/$(id -u) ${path}`,
    text: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
${system ? `  <key>UserName</key>\n  <string>${xml(userInfo().username)}</string>\n` : ''}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>30</integer>
  <key>Nice</key>
  <integer>10</integer>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`,
  }
}

/** Text of an element. What XML has no character for, a path can't have either. */
function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
