import { html, type Html } from './html.ts'
import type { Content, Row } from '../../../verbs/web/news.ts'
import { height, SPARK_HEIGHT, SPARK_MINUTES, SPARK_WIDTH } from './spark.ts'
import type { Deeds } from '../../../verbs/web/deeds.ts'
import { plain } from '../../base/text.ts'
import { MINUS_BELOW_RATIO, PLUS_ABOVE_RATIO } from '../../model/policy.ts'

/** How often a browser without JavaScript asks for the page. */
const REFRESH_SECONDS = 5

/** In which order the machines stand. */
export const ORDERS = { name: 'by name', load: 'fullest first' } as const
export type Order = keyof typeof ORDERS

/** The page of the mesh as a document, whole without a script. */
export function meshDocument(content: Content, order: Order, now: Date): string {
  const { underWay } = content.tables
  return documentOf(
    'Mesh',
    '/events',
    now,
    html`<section class="conclusion" role="status">${list(content, 'conclusion')}</section>
      <nav aria-label="Order of the machines">${orderLink('name', order)} ${orderLink('load', order)}</nav>
      ${table(content, 'machines', 'The machines of the mesh', MACHINE_HEADS, machineRowHtml, order)}
      ${list(content, 'notes')} ${list(content, 'deeds', 'log')}
      <section class="underWay" data-hidden-without="underWay" ${hiddenWithout(underWay?.rows ?? [])}>
        <h2>Under way from this machine</h2>
        ${table(content, 'underWay', 'Processes that move, and jobs that run elsewhere', UNDER_WAY_HEADS, underWayRowHtml, 'name')}
      </section>`,
  )
}

/** The page of one machine. */
export function machineDocument(name: string, content: Content, now: Date, deeds?: Deeds): string {
  const allowed = Object.entries(DEED_NAMES).filter(([deed]) =>
    [...(deeds?.allowed ?? [])].some((each) => each === deed),
  )
  const heads = allowed.length > 0 ? [...PROCESS_HEADS, ['deeds', 'Do'] as const] : PROCESS_HEADS
  return documentOf(
    plain(name, 100),
    `/events?machine=${encodeURIComponent(name)}`,
    now,
    html`<nav><a href="/">All machines</a></nav>
      ${list(content, 'deeds', 'log')}
      ${table(content, 'machines', 'This machine', MACHINE_HEADS, machineRowHtml, 'name')}
      <h2>Processes</h2>
      <p id="processesKnown">${content.texts.processesKnown ?? ''}</p>
      ${table(content, 'processes', 'Its processes, those to blame for the load first', heads, (row) => processRowHtml(row, allowed), 'name')}
      ${deeds && allowed.length > 0 ? question(name, deeds) : html``}`,
  )
}

function documentOf(title: string, events: string, now: Date, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href="/page.css" />
        <noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS}" /></noscript>
        <script src="/page.js" defer></script>
      </head>
      <body data-events="${events}">
        <header>
          <h1>${title}</h1>
          <p id="connection" data-state="still" role="status"></p>
          <p id="time">as of ${now.toISOString().slice(11, 19)} UTC</p>
        </header>
        <main>${body}</main>
      </body>
    </html> `.text
}

function orderLink(each: Order, order: Order): Html {
  const current = each === order ? html`aria-current="true"` : html``
  return html`<a href="/?order=${each}" ${current}>${ORDERS[each]}</a>`
}

function hiddenWithout(rows: readonly Row[]): Html {
  return rows.length === 0 ? html`hidden` : html``
}

function list({ lists }: Content, id: string, role = 'list'): Html {
  return html`<ul id="${id}" role="${role}">
    ${(lists[id] ?? []).map((line) => html`<li>${line}</li>`)}
  </ul>`
}

/** Roles are said besides the elements: on a narrow screen these are laid out as no table, and would be none to a reader. */
function table(
  { tables }: Content,
  id: string,
  caption: string,
  heads: readonly (readonly [name: string, text: string])[],
  rowHtml: (row: Row) => Html,
  order: Order,
): Html {
  const { rows = [], orders = {} } = tables[id] ?? {}
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const keys = orders[order] ?? orders.name ?? []
  return html`<table role="table" class="${id}">
      <caption>
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${heads.map(([name, head]) => html`<th role="columnheader" scope="col" class="${name}">${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup" id="${id}" data-order="${order}">
        ${keys.flatMap((key) => {
          const row = byKey.get(key)
          return row ? [rowHtml(row)] : []
        })}
      </tbody>
    </table>
    <template id="${id}-row">${rowHtml(NO_ROW)}</template>`
}

const NO_ROW: Row = { key: '', level: 'none' }

const MACHINE_HEADS = [
  ['name', 'Machine'],
  ['state', 'Trit'],
  ['ratio', 'Load / CPUs'],
  ['spark', `Last ${SPARK_MINUTES} min`],
  ['load', 'Load on CPUs'],
  ['waiting', 'Waiting'],
  ['memory', 'Memory free'],
  ['busiest', 'Busiest'],
  ['note', 'Note'],
] as const

// What a browser replaces when news come is told by data-text, -value, -path, -label and -link: see page.js.
function machineRowHtml(row: Row): Html {
  return tr(
    row,
    html`<th role="rowheader" scope="row" class="name">
        <a data-link="link" data-text="name" href="${row.link ?? '/'}">${row.name ?? ''}</a>
        <small data-text="here">${row.here ?? ''}</small>
      </th>
      <td role="cell" class="state">
        <span class="sign" aria-hidden="true" data-text="sign">${row.sign ?? ''}</span> ${text(row, 'state')}
      </td>
      <td role="cell" class="ratio">
        <meter
          aria-hidden="true"
          min="0"
          max="1"
          low="${MINUS_BELOW_RATIO}"
          high="${PLUS_ABOVE_RATIO}"
          optimum="0"
          data-value="ratio"
          ${meterValue(row)}
        ></meter>
        ${text(row, 'ratioText')}
      </td>
      <td role="cell" class="spark">
        <svg
          role="img"
          viewBox="0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}"
          preserveAspectRatio="none"
          data-label="sparkText"
          aria-label="${row.sparkText ?? ''}"
        >
          <path class="full" d="M0 ${height(PLUS_ABOVE_RATIO)}H${SPARK_WIDTH}" />
          <path class="line" data-path="spark" d="${row.spark ?? ''}" />
        </svg>
      </td>
      <td role="cell" class="load">${text(row, 'load')}</td>
      <td role="cell" class="waiting">${text(row, 'waiting')}</td>
      <td role="cell" class="memory">${text(row, 'memory')}</td>
      <td role="cell" class="busiest">${text(row, 'busiest')}</td>
      <td role="cell" class="note">${text(row, 'note')} ${text(row, 'age')}</td>`,
  )
}

/** Without a value it is nobody's load: the element is hidden then. */
function meterValue({ ratio }: Row): Html {
  return typeof ratio === 'number' ? html`value="${ratio}"` : html`hidden`
}

const UNDER_WAY_HEADS = [
  ['what', 'What'],
  ['way', 'Where'],
  ['state', 'State'],
] as const

function underWayRowHtml(row: Row): Html {
  return tr(row, cells(row, UNDER_WAY_HEADS))
}

const PROCESS_HEADS = [
  ['pid', 'PID'],
  ['user', 'User'],
  ['command', 'Command'],
  ['cpu', 'CPU'],
  ['memory', 'Memory'],
  ['rss', 'RSS'],
  ['time', 'Run time'],
  ['score', 'Score'],
  ['terms', '= CPU + memory + time'],
  ['trit', 'Trit'],
  ['action', 'Action'],
] as const

/** What can be done to a process, as its buttons say it. */
const DEED_NAMES = { migrate: 'Migrate', throttle: 'Throttle', kill: 'End' } as const

function processRowHtml(row: Row, allowed: readonly (readonly [deed: string, name: string])[]): Html {
  if (allowed.length === 0) return tr(row, cells(row, PROCESS_HEADS))
  const buttons = allowed.map(
    ([deed, name]) => html`<button type="button" data-deed="${deed}">${name}</button> `,
  )
  return tr(
    row,
    html`${cells(row, PROCESS_HEADS)}
      <td role="cell" class="deeds">${buttons}</td>`,
  )
}

/** Asked before anything is done. A script shows it, and sends what was answered. */
function question(machine: string, { ticket }: Deeds): Html {
  return html`<dialog
      id="question"
      data-machine="${plain(machine, 255)}"
      data-ticket="${ticket}"
      aria-labelledby="asked"
    >
      <p id="asked"></p>
      <button type="button" id="yes"></button> <button type="button" id="no" autofocus>Leave it</button>
    </dialog>
    <p id="answer" role="alert"></p>`
}

function cells(row: Row, heads: readonly (readonly [name: string, text: string])[]): Html {
  return html`${heads.map(([name, head]) => html`<td role="cell" class="${name}" data-head="${head}">${text(row, name)}</td>`)}`
}

function tr({ key, level }: Row, content: Html): Html {
  return html`<tr role="row" data-key="${key}" data-level="${level}">
    ${content}
  </tr>`
}

function text(row: Row, name: string): Html {
  return html`<span data-text="${name}">${row[name] ?? ''}</span>`
}
