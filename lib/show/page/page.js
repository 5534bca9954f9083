// Keeps the page as it is now: the server tells what has changed, as text and numbers. Nothing of it becomes markup.
const SILENCE_MS = 40_000
const connection = document.getElementById('connection')
const time = document.getElementById('time')
let events
let watchdog

/** Puts what is told into the elements that a template has marked for it; what is not told stays. */
function fill(row, told) {
  row.dataset.key = told.key
  if (told.level !== undefined) row.dataset.level = told.level
  each(row, told, 'text', setText)
  each(row, told, 'label', (place, text) => place.setAttribute('aria-label', text))
  each(row, told, 'path', (place, path) => place.setAttribute('d', String(path).replace(/[^ML\d. -]/g, '')))
  each(row, told, 'link', (place, link) => {
    if (String(link).startsWith('/machine?')) place.setAttribute('href', link)
  })
  each(row, told, 'value', (place, value) => {
    place.hidden = typeof value !== 'number'
    if (typeof value === 'number') place.value = value
  })
}

function each(row, told, kind, put) {
  for (const place of row.querySelectorAll(`[data-${kind}]`)) {
    const value = told[place.dataset[kind]]
    if (value !== undefined) put(place, value)
  }
}

/** What stays as it is is not touched: who selects it, or has it read aloud, is not disturbed. */
function setText(place, text) {
  if (place.textContent !== String(text)) place.textContent = text
}

function showTable(id, { rows, orders }) {
  const body = document.getElementById(id)
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]))
  for (const told of rows) {
    const template = document.getElementById(`${id}-row`)
    const row = known.get(told.key) ?? template.content.firstElementChild.cloneNode(true)
    fill(row, told)
    known.set(told.key, row)
  }
  if (orders === undefined) return
  const keys = orders[body.dataset.order] ?? orders.name
  const wanted = keys.flatMap((key) => known.get(key) ?? [])
  const kept = new Set(wanted)
  const superfluous = [...body.rows].filter((row) => !kept.has(row))
  for (const row of superfluous) row.remove()
  wanted.forEach((row, index) => {
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null)
  })
  for (const section of document.querySelectorAll(`[data-hidden-without="${id}"]`))
    section.hidden = wanted.length === 0
}

function showList(id, lines) {
  const list = document.getElementById(id)
  while (list.children.length > lines.length) list.lastElementChild.remove()
  lines.forEach((line, index) =>
    setText(list.children[index] ?? list.appendChild(document.createElement('li')), line),
  )
}

function show({ texts = {}, lists = {}, tables = {} }) {
  for (const [id, text] of Object.entries(texts)) setText(document.getElementById(id), text)
  for (const [id, lines] of Object.entries(lists)) showList(id, lines)
  for (const [id, table] of Object.entries(tables)) showTable(id, table)
}

function say(state, text) {
  // It tells when a page was made that does not change.
  time.hidden = true
  connection.dataset.state = state
  setText(connection, text)
}

/** Who is there says so: a connection that is silent is none, whatever the browser takes it for. */
function heard() {
  clearTimeout(watchdog)
  watchdog = setTimeout(open, SILENCE_MS)
  say('live', 'live')
}

function close() {
  clearTimeout(watchdog)
  events?.close()
}

function open() {
  close()
  events = new EventSource(document.body.dataset.events)
  events.addEventListener('news', ({ data }) => {
    show(JSON.parse(data))
    heard()
  })
  events.addEventListener('beat', heard)
  events.addEventListener('error', () => {
    say('lost', 'no connection: what is shown is old')
    // The browser tries again by itself, unless it was turned away.
    if (events.readyState === EventSource.CLOSED) watchdog = setTimeout(open, SILENCE_MS / 4)
  })
}

// What nobody sees is not kept up to date: a phone in a pocket needs its battery.
document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
open()

// What is done to a process is asked first, and sent with the ticket of this page: no other page has it.
const question = document.getElementById('question')
let asked

document.addEventListener('click', ({ target }) => {
  const { deed } = target.dataset ?? {}
  if (question === null || deed === undefined) return
  const row = target.closest('tr')
  const told = (name) => row.querySelector(`[data-text="${name}"]`).textContent
  asked = { deed, machine: question.dataset.machine, pid: Number(told('pid')), command: told('command') }
  const name = target.textContent.trim()
  setText(
    document.getElementById('asked'),
    `${name} ${asked.command} (PID ${asked.pid}) on ${asked.machine}?`,
  )
  setText(document.getElementById('yes'), name)
  question.showModal()
})

async function send(order) {
  const answer = document.getElementById('answer')
  setText(answer, '')
  try {
    const response = await fetch('/act', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Ticket': question.dataset.ticket },
      body: JSON.stringify(order),
    })
    // What is under way is told in the list of what was done.
    if (!response.ok) setText(answer, await response.text())
  } catch {
    setText(answer, 'it could not be sent: there is no connection')
  }
}

document.getElementById('yes')?.addEventListener('click', () => {
  question.close()
  void send(asked)
})
document.getElementById('no')?.addEventListener('click', () => question.close())
document.documentElement.dataset.script = ''
