import fc from 'fast-check'
import { expect, test } from 'vitest'
import { machineDocument, meshDocument } from '../../../../lib/show/page/document.ts'
import { escapeHtml, html } from '../../../../lib/show/page/html.ts'
import { machineContent } from '../../../../lib/show/page/machine-content.ts'
import { meshContent, type UnderWay } from '../../../../lib/show/page/mesh-content.ts'
import { sparkPath } from '../../../../lib/show/page/spark.ts'
import { Deeds } from '../../../../verbs/web/deeds.ts'
import { changeOf } from '../../../../verbs/web/news.ts'
import { AMesh, failed, measured, process } from './a-mesh.ts'
import { ATTACKS } from './attacks.ts'

const NOW = new Date('2026-01-02T03:04:05Z')
const nowMs = NOW.getTime()
const mesh = () =>
  new AMesh(
    measured('n1', 1, 4, { self: true, nowMs }),
    measured('n2', 7, 4, { nowMs, list: [process('sh', 10, 1), process('make', 80, 2)] }),
    measured('n3', 0.2, 4, { nowMs, closed: 'a talk' }),
    failed('n4', 'no route to host'),
    failed('phone', 'a phone or tablet (iOS)', 'skipped'),
  )
const NOTHING: UnderWay = { migrations: [], jobs: [] }
const MOVE = { id: 'abc', from: 'n2', to: 'n1', pid: 2, command: 'make', state: 'under way', step: 'dump' }
const MOVING: UnderWay = {
  migrations: [MOVE],
  jobs: [{ id: 'def', title: 'a build', state: 'running', node: 'n3' }],
}
const contentOf = (watched: AMesh, underWay = NOTHING) =>
  meshContent({ mesh: watched.mesh, machines: watched.machines.values(), underWay }, NOW)
const rowsOf = (watched: AMesh) =>
  new Map(contentOf(watched).tables.machines?.rows.map((row) => [row.key, row]))

/** The text of a document without what it is marked up with: what stands between tags. */
const textOf = (document: string) =>
  document
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()

test('each machine is a row with its trit in words and a sign, its load, and what keeps work away', () => {
  expect(rowsOf(mesh()).get('n2')).toMatchObject({
    level: 'plus',
    sign: '▲',
    state: '+1 PLUS',
    ratio: 1.75,
    ratioText: '1.75',
    load: '7.00 on 4',
    waiting: '35 %',
    memory: '3.2 GiB',
    busiest: 'make 80\u00A0%',
    here: '',
    age: '',
  })
  expect(rowsOf(mesh()).get('n1')).toMatchObject({ here: 'here', state: '-1 MINUS', sign: '▽', busiest: '' })
  expect(rowsOf(mesh()).get('n3')).toMatchObject({ note: 'closed: a talk' })
})

test('a machine without a measurement says why, and shows no load', () => {
  const row = {
    level: 'none',
    state: 'unreachable',
    note: 'no route to host',
    ratio: '',
    load: '',
    spark: '',
  }
  expect(rowsOf(mesh()).get('n4')).toMatchObject(row)
})

test('what is older than it should be is shown with its age', () => {
  const watched = mesh()
  watched.put({ ...measured('n2', 7, 4, { nowMs }), late: true, measuredAtMs: nowMs - 8000 })
  expect(rowsOf(watched).get('n2')).toMatchObject({ state: '+1 PLUS', age: 'measured 8 s ago' })
})

test('the sum, the rule and what is left out are those of mesh-balance', () => {
  expect(contentOf(mesh()).lists).toEqual({
    conclusion: [
      'Σ = -1: Σ ≡ 2 (mod 3), the invariant does not hold',
      'Rule 2: wake idle work on MINUS nodes',
      'n2 is PLUS all the same, and n1 has room for some of its work',
    ],
    notes: ['left out: phone: a phone or tablet (iOS)'],
  })
})

test('machines stand by their names, this one before all, or the fullest first', () => {
  const { orders } = contentOf(mesh()).tables.machines ?? {}
  const others = ['n10', 'n9', 'b', 'n2'].map((name) => measured(name, 1, 4, { nowMs }))
  const unsorted = new AMesh(...others, measured('z', 1, 4, { self: true, nowMs }))
  expect(contentOf(unsorted).tables.machines?.orders.name).toEqual(['z', 'b', 'n2', 'n9', 'n10'])
  expect(orders).toEqual({ name: ['n1', 'n2', 'n3', 'n4'], load: ['n2', 'n1', 'n3', 'n4'] })
  const at = (document: string) =>
    ['n1', 'n2', 'n3', 'n4'].toSorted((a, b) => place(document, a) - place(document, b))
  const place = (document: string, name: string) => document.indexOf(`data-key="${name}"`)
  expect(at(meshDocument(contentOf(mesh()), 'load', NOW))).toEqual(['n2', 'n1', 'n3', 'n4'])
})

test('a machine that has not answered yet is no row, and it is said that there are more', () => {
  const watched = mesh()
  const { report: _, ...asked } = measured('n9', 1, 1, { nowMs })
  watched.put(asked)
  expect(contentOf(watched).lists.notes).toContain('1 more machine is asked')
  expect(rowsOf(watched).has('n9')).toBe(false)
})

test('the document is whole without a script: rows, notes, and a request to be asked again', () => {
  const document = meshDocument(contentOf(mesh(), MOVING), 'name', NOW)
  expect(textOf(document)).toContain('n2 ▲ +1 PLUS 1.75 7.00 on 4 35 % 3.2 GiB make 80 %')
  expect(textOf(document)).toContain('n4 × unreachable')
  expect(textOf(document)).toContain('make (2) n2 → n1 under way: dump a build → n3 running')
  expect(document).toContain('<noscript><meta http-equiv="refresh" content="5" /></noscript>')
  expect(document).toContain('as of 03:04:05 UTC')
})

test('nothing in it would need a policy that allows what stands in a document: no script, style or handler', () => {
  const watched = mesh()
  for (const document of [
    meshDocument(contentOf(watched, MOVING), 'name', NOW),
    machineDocument('n2', machineContent(watched.machines.get('n2') ?? expect.fail(), NOW), NOW),
  ]) {
    expect(document).not.toMatch(
      /<script(?! src="\/page\.js" defer>)|<style|\sstyle=|\son\w+=|javascript:|http:|https:/i,
    )
  }
})

test('nothing under way, no heading for it', () => {
  expect(meshDocument(contentOf(mesh()), 'name', NOW)).toMatch(/<section class="underWay"[^>]* hidden>/)
  expect(meshDocument(contentOf(mesh(), MOVING), 'name', NOW)).not.toMatch(/class="underWay"[^>]*hidden>/)
})

test('a machine’s page shows its processes with the terms of their scores and what the matrix says', () => {
  const machine = mesh().machines.get('n2') ?? expect.fail()
  const document = machineDocument('n2', machineContent(machine, NOW), NOW)
  expect(textOf(document)).toContain(
    '2 operator make 80.0 % 1.5 % 48.0 MiB 3 h 12 min 0.50 0.48 + 0.00 + 0.01 +1 migrate',
  )
  expect(document).toContain('data-events="/events?machine=n2"')
})

test('what can be done to a process is there only where it is allowed', () => {
  const machine = mesh().machines.get('n2') ?? expect.fail()
  const buttons = (document: string) => [...document.matchAll(/data-deed="(\w+)"/g)].map(([, deed]) => deed)
  expect(buttons(machineDocument('n2', machineContent(machine, NOW), NOW))).toEqual([])
  // Of the template, and of the two processes.
  const document = machineDocument('n2', machineContent(machine, NOW), NOW, ALLOWING)
  expect(buttons(document)).toEqual(['kill', 'kill', 'kill'])
  expect(document).toContain(`data-ticket="${ALLOWING.ticket}"`)
})

test.each(ATTACKS)('%j is text, wherever it comes from', (attack) => {
  const watched = new AMesh(
    measured(attack, 7, 4, { nowMs, closed: attack, list: [{ ...process(attack, 80), user: attack }] }),
    failed(`${attack} `, attack),
    failed(`${attack}  `, attack, 'skipped'),
  )
  const moving: UnderWay = {
    migrations: [{ ...MOVE, id: attack, from: attack, to: attack, command: attack, step: attack }],
    jobs: [{ id: attack, title: attack, state: attack, node: attack }],
  }
  const machine = watched.machines.get(attack) ?? expect.fail()
  const documents = [
    meshDocument(contentOf(watched, moving), 'name', NOW),
    machineDocument(attack, machineContent(machine, NOW), NOW, ALLOWING),
  ]
  for (const document of documents) {
    // Every tag is one of this house's: what is left of an attack has no tag.
    const tags = new Set(
      [...document.matchAll(/<(\/?[a-z!][a-z0-9]*)/gi)].map(([, tag = '']) => tag.replace('/', '')),
    )
    expect([...tags].filter((tag) => !OWN_TAGS.includes(tag))).toEqual([])
    const attributes = [...document.matchAll(/<[a-z][^>]*>/gi)].flatMap(([tag]) =>
      tag
        .replaceAll(/="[^"]*"/g, '')
        .split(/[\s/>]+/)
        .slice(1),
    )
    expect(attributes.filter((name) => name !== '' && !OWN_ATTRIBUTES.includes(name))).toEqual([])
    expect(document.match(/<script/g)).toHaveLength(1)
    expect(document).not.toMatch(/[\u0000\u001B\u202E\u2028]/)
    expect(document).not.toMatch(/href="(?!\/)/)
  }
})
const ALLOWING = new Deeds(
  new Set(['kill'] as const),
  async () => ({ done: true, says: '' }),
  () => true,
)
const OWN_TAGS = [
  [
    '!doctype',
    'html',
    'head',
    'meta',
    'title',
    'link',
    'noscript',
    'script',
    'body',
    'header',
    'main',
    'section',
  ],
  [
    'h1',
    'h2',
    'p',
    'nav',
    'a',
    'ul',
    'li',
    'table',
    'caption',
    'thead',
    'tbody',
    'tr',
    'th',
    'td',
    'template',
  ],
  ['small', 'span', 'meter', 'svg', 'path', 'dialog', 'button'],
].flat()

const OWN_ATTRIBUTES = [
  [
    'lang',
    'charset',
    'name',
    'content',
    'http-equiv',
    'rel',
    'href',
    'src',
    'defer',
    'id',
    'class',
    'role',
    'scope',
  ],
  ['hidden', 'min', 'max', 'low', 'high', 'optimum', 'value', 'viewBox', 'preserveAspectRatio', 'd'],
  [
    'aria-label',
    'aria-hidden',
    'aria-current',
    'data-events',
    'data-state',
    'data-order',
    'data-key',
    'data-level',
  ],
  [
    'type',
    'autofocus',
    'aria-labelledby',
    'data-deed',
    'data-machine',
    'data-ticket',
    'data-head',
    'data-text',
    'data-link',
    'data-value',
    'data-label',
    'data-path',
    'data-hidden-without',
  ],
].flat()

test('any text comes back from its entities, and ends neither an element nor an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeHtml(text)
      expect(escaped).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/)
      const back = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" } as const
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the five that the pattern has
      expect(escaped.replaceAll(/&([a-z]+|#39);/g, (_, name) => back[name as keyof typeof back])).toBe(text)
    }),
  )
})

test('a piece within a piece is not escaped twice, and text is once', () => {
  const inner = html`<b>${'<&>'}</b>`
  expect(html`<p title="${'"'}">${[inner, inner]}</p>`.text).toBe(
    '<p title="&quot;"><b>&lt;&amp;&gt;</b><b>&lt;&amp;&gt;</b></p>',
  )
})

test('a drawing is numbers and two letters, goes from left to right, and is interrupted where nothing was measured', () => {
  expect(sparkPath([])).toBe('')
  expect(sparkPath([0, undefined, 1.5, 9])).toBe('M0 47L1 47M79 1L118 1')
  const ratio = fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined })
  fc.assert(
    fc.property(fc.array(ratio, { maxLength: 100 }), (ratios) => {
      expect(sparkPath(ratios)).toMatch(/^(?:[ML]\d+ \d+)*$/)
    }),
  )
})

test('what has changed is told alone, and what has not is not', () => {
  const before = contentOf(mesh(), MOVING)
  expect(changeOf(before, contentOf(mesh(), MOVING))).toBeUndefined()
  const watched = mesh()
  watched.put(measured('n3', 0.3, 4, { nowMs, closed: 'a talk' }))
  const change = changeOf(before, contentOf(watched, MOVING)) ?? expect.fail()
  expect(Object.keys(change)).toEqual(['tables'])
  expect(Object.keys(change.tables ?? {})).toEqual(['machines'])
  expect(change.tables?.machines?.rows).toEqual([
    expect.objectContaining({ key: 'n3', load: '0.30 on 4', ratioText: '0.07' }),
  ])
  expect(change.tables?.machines?.rows[0]).not.toHaveProperty('note')
  expect(change.tables?.machines).not.toHaveProperty('orders')
  watched.machines.delete('n4')
  expect(changeOf(before, contentOf(watched))).toMatchObject({
    tables: { machines: { orders: { name: ['n1', 'n2', 'n3'] } }, underWay: { orders: { name: [] } } },
  })
})
