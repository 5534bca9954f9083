import { z } from 'zod'

const Document = z.record(z.string(), z.unknown())
const Package = z.object({ version: z.string() })

/** The version in the text of a package.json. */
export function ownVersion(text: string): string {
  return Package.parse(JSON.parse(text)).version
}

/** The text of a package.json with another version, and nothing else changed. */
export function packageWith(version: string, text: string): string {
  return asNpmWrites({ ...Document.parse(JSON.parse(text)), version })
}

/** The same for a package-lock.json, which has the version twice. */
export function lockWith(version: string, text: string): string {
  const lock = Document.parse(JSON.parse(text))
  const packages = Document.parse(lock.packages)
  const own = { ...Document.parse(packages['']), version }
  return asNpmWrites({ ...lock, version, packages: { ...packages, '': own } })
}

function asNpmWrites(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}
