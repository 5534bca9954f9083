const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes as a person says them: `0 B`, `1.5 KiB`, `120 MiB`. */
export function bytesText(bytes: number): string {
  let unit = 0
  let size = bytes
  while (size >= 1023.5 && unit < UNITS.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[unit]}`
}
