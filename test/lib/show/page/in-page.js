// What tests run inside a page; each of the functions is evaluated there by itself.

/** Texts whose colour differs too little from what is behind them, by WCAG 2.2's 1.4.3. */
export function poorContrasts() {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
      const value = Number(part) / 255
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const back = luminance(getComputedStyle(document.documentElement).backgroundColor)
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const says = [...element.childNodes].some(
      ({ nodeType, textContent }) => nodeType === Node.TEXT_NODE && textContent.trim() !== '',
    )
    if (!says) return []
    const text = luminance(getComputedStyle(element).color)
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05)
    return ratio < 4.5 ? [`${element.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`] : []
  })
}

/** Puts into the page what a hole in it could let in, and tells what came of it. */
export function intrude() {
  const button = document.createElement('button')
  button.addEventListener('click', () => {})
  try {
    button.setAttribute('onclick', 'window.hit = 1')
  } catch {
    // A browser may refuse that much already.
  }
  document.body.append(button)
  button.click()
  try {
    const script = document.createElement('script')
    script.append('window.hit = 1')
    document.body.append(script)
  } catch {
    // And that.
  }
  try {
    document.body.innerHTML = '<img src=x onerror="window.hit = 1">'
    return 'markup was taken'
  } catch (error) {
    return String(error)
  }
}

/** As if the person had gone to another tab, or come back. */
export function turnAway() {
  Object.defineProperty(document, 'hidden', { value: true, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

export function turnBack() {
  Object.defineProperty(document, 'hidden', { value: false, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}
