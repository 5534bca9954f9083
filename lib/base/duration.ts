/** Seconds as a person says them, in its two largest units: `12 d 3 h`, `4 h 5 min`, `7 min`, `9 s`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [
    { size: Math.floor(whole / 86_400), unit: 'd' },
    { size: Math.floor(whole / 3600) % 24, unit: 'h' },
    { size: Math.floor(whole / 60) % 60, unit: 'min' },
  ]
  const first = parts.findIndex(({ size }) => size > 0)
  if (first === -1) return `${whole} s`
  return parts
    .slice(first, first + 2)
    .filter(({ size }) => size > 0)
    .map(({ size, unit }) => `${size} ${unit}`)
    .join(' ')
}
