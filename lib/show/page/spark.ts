/** For how long back the drawing of a machine's load goes, and in how many parts. */
export const SPARK_MINUTES = 10
export const SPARK_PARTS = 60
// Two units a part and whole numbers: the path of each machine is sent to each browser.
export const SPARK_WIDTH = 2 * (SPARK_PARTS - 1)
export const SPARK_HEIGHT = 48

/** A line at the top of the drawing stands for this ratio of load to CPUs, and for any that is higher. */
const FULL_RATIO = 1.5

/**
 * A row of ratios as the path of an SVG: numbers and the letters M and L alone. Where there is no ratio, the line is
 * interrupted.
 */
export function sparkPath(ratios: readonly (number | undefined)[]): string {
  const step = SPARK_WIDTH / Math.max(1, ratios.length - 1)
  return ratios
    .flatMap((ratio, index) => {
      if (ratio === undefined) return []
      const x = Math.round(index * step)
      const y = height(ratio)
      const starts = ratios[index - 1] === undefined
      // A point alone would not be drawn.
      const alone = starts && ratios[index + 1] === undefined ? `L${x + 1} ${y}` : ''
      return [`${starts ? 'M' : 'L'}${x} ${y}${alone}`]
    })
    .join('')
}

/** How far from the top the line of a ratio is. */
export function height(ratio: number): number {
  const share = Math.min(1, Math.max(0, ratio) / FULL_RATIO)
  return Math.round((1 - share) * (SPARK_HEIGHT - 2) + 1)
}
