// Debian's Chromium, somebody who sits at it, and axe.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// What WCAG 2.2 AA asks, as axe names it; what it merely recommends is not asked.
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export async function openBrowser() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** A browser window of somebody's own, without scripts when `scripts` is false. */
export async function openWindow(browser, { scripts = true } = {}) {
  const context = await browser.newContext({ javaScriptEnabled: scripts, locale: 'en-GB', timezoneId: 'Europe/London' })
  const page = await context.newPage()
  page.setDefaultTimeout(15000)
  page.mistakes = []
  page.on('pageerror', (error) => page.mistakes.push(error.message))
  page.on('console', (message) => {
    // A refused page is logged by the browser itself.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.mistakes.push(message.text())
  })
  return page
}

export async function signIn(page, address, user, password) {
  await page.goto(`${address}/sign-in`)
  await page.getByLabel('User name').fill(user)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/sign-in')
}

/** Fails with what axe finds on the page as it stands. */
export async function mustBeAccessible(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(
    (rules) => window.axe.run(document, { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] }),
    RULES)
  const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`))
  assert.deepEqual(found, [], `axe on ${new URL(page.url()).pathname}`)
}

export async function picture(page, name) {
  await page.screenshot({ path: `screenshots/${name}.png`, fullPage: true })
}
