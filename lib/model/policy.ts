/**
 * The numbers that decide what is done with whose work. They are said here and nowhere else: whoever changes one changes
 * the whole house. Two of them are also in shell scripts, which other machines run as they are; a test compares those.
 *
 * "The seed" is the description that this program began with, the skill `resource-sharing` of plurigrid/asi. What does
 * not come from it was chosen here, and its comment says why.
 */

/**
 * Ratio of load1 to CPUs; a machine above it is PLUS: it sheds work. The same bound keeps what is sent to a machine from
 * making it PLUS. Whole tenths, because `tritOf` compares tenfold. From the seed.
 */
export const PLUS_ABOVE_RATIO = 0.8

/** Ratio of load1 to CPUs; a machine below it is MINUS: it has room for others' work. Whole tenths. From the seed. */
export const MINUS_BELOW_RATIO = 0.3

/** SCUM score; above it the decision matrix acts on a process, and calls it a candidate to be killed. From the seed. */
export const ACTED_ON_ABOVE_SCORE = 0.35

/** SCUM score; up to it a process counts as idle, above it as one to be watched. From scum-score, as the seed names it. */
export const IDLE_UP_TO_SCORE = 0.15

/** What a whole CPU, all of the memory, and each day of running time add to the SCUM score. From scum-score. */
export const SCORE_WEIGHTS = { cpu: 0.6, memory: 0.3, runtimeDay: 0.1 } as const

/**
 * Percent of one CPU; a process above it is in the SCUM class, outside which nothing is done whatever the score, and
 * the monitor counts it. From the seed's monitor.
 */
export const SCUM_CPU_PERCENT = 30

/** Percent of the machine's memory; a process above it is in the SCUM class too, however idle. From scum-score. */
export const SCUM_MEM_PERCENT = 5

/**
 * Seconds for which a machine that has got work takes no other. Load1 shows 78 % of a change after 90 s: who looks
 * earlier sees an emptier machine than there is. Also in lib/machine/reservations/reservation.sh.
 */
export const ARRIVAL_REST_SECONDS = 90

/**
 * Seconds for which a machine remembers what came and what left, to be counted beside its load average: after 300 s
 * load1 shows all but 1 % of it. Also in lib/machine/reservations/show.sh.
 */
export const CHANGES_KEPT_SECONDS = 300

/**
 * Seconds for which a process that was moved or released is left alone. A machine remembers arrivals for just as long,
 * and could not tell of a longer rest.
 */
export const PROCESS_REST_SECONDS = CHANGES_KEPT_SECONDS

/**
 * Seconds; an older sample of Prometheus is no measurement of now. It looks each minute where nobody says otherwise
 * (`scrape_interval`), so that one look may fail.
 */
export const SAMPLE_AGE_SECONDS = 150

/** Percent of one CPU that a throttled process and its children get together, unless the person says otherwise. */
export const THROTTLED_PERCENT = 50

/** How many times the memory that a process has now its receiver must have to give: it may grow on the way. */
export const MEMORY_MARGIN = 1.2

/** Seconds for which a machine is reserved when nobody says how it goes on: a broker that dies blocks it no longer. */
export const RESERVATION_SECONDS = 60

/** Milliseconds after which a reservation is renewed: twice may fail before it expires. */
export const RENEW_RESERVATION_MS = 20_000
