import { writeAtomically } from '../base/atomic-file.ts'
import { fileFailure } from './file-failure.ts'
import { metrics, type Observed } from './metrics.ts'

/**
 * Writes the metrics where node_exporter's textfile collector reads them, for everybody to read: the collector is
 * another user.
 *
 * @throws Failure that names the file
 */
export async function writeTextfile(file: string, observed: Observed): Promise<void> {
  try {
    await writeAtomically(file, metrics(observed), 0o644)
  } catch (error) {
    throw fileFailure('--textfile', file, error)
  }
}
