// What people do at the duty desk and in a provider's inbox, in order: each test goes on where the
// one before it ended, as a day does.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { mustBeAccessible, openBrowser, openWindow, picture, signIn } from './browser.mjs'
import { Stage, until } from './stage.mjs'

const PASSWORD = 'correct horse battery'
const TOM = { noms: 'A1234BC', pnc: pncOf(2015, 123), caseNumber: 'OS-1001' }
const DAY_MS = 86400000

let stage, browser, duty

/** A number as the police have it: its letter follows from year and serial. */
function pncOf(year, serial) {
  const digits = `${String(year).slice(2)}${String(serial).padStart(7, '0')}`
  return `${year}/${digits.slice(2)}${'ZABCDEFGHJKLMNPQRTUVWXY'[Number(digits) % 23]}`
}

/** A civil day in London, so many days from now. */
function day(days) {
  const text = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' }).format(new Date(Date.now() + days * DAY_MS))
  const [year, month, date] = text.split('-')
  return { iso: text, british: `${date}/${month}/${year}` }
}

before(async () => {
  stage = await Stage.open(process.env.TTG_BIN)
  for (const [user, role, name] of [
    ['dora', 'duty', 'Dora Duty'],
    ['carl', 'caseworker', 'Carl Case'],
    ['mary', 'manager', 'Mary Manager'],
    ['eve', 'evaluator', 'Eve Evaluator'],
    ['lost', 'duty', 'Lost Key'],
  ])
    stage.addUser('ttg-desk', stage.at('desk.users'), user, role, name, PASSWORD)
  stage.addUser('ttg-partner', stage.at('mind.users'), 'mina', 'staff', 'Mina Mind', PASSWORD)
  await stage.startWeb()
  browser = await openBrowser()
  duty = await openWindow(browser)
})

after(async () => {
  await browser?.close()
  await stage?.close()
})

/** A test whose failure tells what the programs said. */
function step(name, body) {
  test(name, async (t) => {
    try {
      await body(t)
    } catch (error) {
      stage?.tell()
      await picture(duty, `failed ${name}`).catch(() => {})
      throw error
    }
  })
}

function dropDiary(clock, days = 10) {
  stage.drop(
    'prison',
    `diary-${randomUUID()}.csv`,
    'Prisoner Number,Release Date,Release Time,Release Type,Establishment,Release Gate,"Local Authority",Status\r\n' +
      `${TOM.noms},${day(days).british},${clock},CRD,PBI,"Main gate","Luton",confirmed\r\n`)
}

step('nobody sees a page without signing in, and a wrong password says no more than that', async () => {
  await duty.goto(`${stage.desk}/alerts`)
  assert.equal(new URL(duty.url()).pathname, '/sign-in')
  await mustBeAccessible(duty)
  await duty.getByLabel('User name').fill('dora')
  await duty.getByRole('textbox', { name: 'Password' }).fill('not her password')
  await duty.getByRole('button', { name: 'Sign in' }).click()
  await duty.getByRole('alert').getByText('The user name or the password is wrong').waitFor()
  await mustBeAccessible(duty)
  await picture(duty, 'sign-in')
  await signIn(duty, stage.desk, 'dora', PASSWORD)
  assert.equal(new URL(duty.url()).pathname, '/live')
})

step('five wrong passwords lock a user out, and the right one does not help then', async () => {
  const page = await openWindow(browser)
  for (let i = 0; i < 5; i++) {
    await page.goto(`${stage.desk}/sign-in`)
    await page.getByLabel('User name').fill('lost')
    await page.getByRole('textbox', { name: 'Password' }).fill(`wrong password ${i}`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('There is a problem').or(page.getByText('Many people')).waitFor()
    if (await page.getByText('Many people').isVisible()) {
      await page.waitForTimeout(1500)
      i--
    }
  }
  await page.goto(`${stage.desk}/sign-in`)
  await page.getByLabel('User name').fill('lost')
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('Too many wrong passwords').waitFor()
  await page.context().close()
})

step('a form without its token, or from another site, is refused', async () => {
  const cookies = (await duty.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const send = (headers, body) =>
    fetch(`${stage.desk}/diary/feed`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(body), headers: { cookie: cookies, ...headers } })
  assert.equal((await send({ origin: stage.desk }, {})).status, 403)
  assert.equal((await send({ origin: stage.desk }, { form_token: 'x'.repeat(43) })).status, 403)
  const token = await duty.locator('input[name=form_token]').first().inputValue()
  assert.equal((await send({ origin: 'https://elsewhere.example' }, { form_token: token })).status, 403)
  assert.equal((await send({ origin: stage.desk }, { form_token: token })).status, 303)
})

step('a role sees its own pages only', async () => {
  const page = await openWindow(browser)
  await signIn(page, stage.desk, 'eve', PASSWORD)
  assert.match(new URL(page.url()).pathname, /^\/figures/)
  assert.deepEqual(await page.getByRole('navigation', { name: 'Menu' }).getByRole('link').allInnerTexts(), ['Figures'])
  for (const path of ['/live', '/alerts', '/people', '/people/0', '/diary', '/sent']) assert.equal((await page.goto(stage.desk + path)).status(), 403, path)
  await mustBeAccessible(page)
  await page.context().close()
})

step('a caseworker enrols somebody, and the desk shows what became of it', async () => {
  const page = await openWindow(browser)
  await signIn(page, stage.desk, 'carl', PASSWORD)
  await page.goto(`${stage.desk}/people/new`)
  await mustBeAccessible(page)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('There is a problem').waitFor()
  await mustBeAccessible(page)
  await page.getByLabel('Prison number').fill(TOM.noms)
  await page.getByLabel('PNC number').fill(TOM.pnc)
  await page.getByLabel('Our own case number').fill(TOM.caseNumber)
  await page.getByLabel('Cohort').fill('cohort-3')
  await page.getByLabel(/^Version of the consent/).fill('2026-1')
  await page.getByLabel('Caseworker').fill('Carl Case')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.waitForURL(/\/sent\//)
  await page.getByText('Accepted', { exact: false }).first().waitFor()
  await mustBeAccessible(page)
  await picture(page, 'sent')
  await page.context().close()
})

step('an arrest that the police publish appears on the open Live page without a reload', async () => {
  await duty.goto(`${stage.desk}/live`)
  await mustBeAccessible(duty)
  await duty.evaluate(() => (window.stayed = true))
  stage.alert = randomUUID()
  stage.dropJson('police', `arrest-${stage.alert}.json`, {
    kind: 'arrest',
    alertId: stage.alert,
    force: '35',
    person: { pncId: TOM.pnc, prisonNumber: TOM.noms },
    station: { code: 'TW', name: 'Thorpe Wood' },
    arrestedAt: new Date().toISOString(),
    offences: [{ cjsCode: 'TH68010', category: 'THEFT' }],
    custodyRecord: 'TW/20001',
    custodyTelephone: '01733 496 101',
    match: { basis: 'PNC_ID', confidence: 'CONFIRMED' },
    query: { reasonCode: '16', justification: 'Detained person, identity check' },
  })
  await duty.getByRole('row').filter({ hasText: 'ARRESTED' }).filter({ hasText: TOM.noms }).waitFor()
  assert.equal(await duty.evaluate(() => window.stayed), true)
  await duty.getByRole('link', { name: /Alerts\s*1/ }).waitFor()
  await picture(duty, 'live')
})

step('nothing is lost over a reload and over a lost connection', async () => {
  await duty.reload()
  await duty.getByRole('row').filter({ hasText: 'ARRESTED' }).waitFor()
  await duty.context().setOffline(true)
  stage.dropJson('police', 'encounter.json', {
    kind: 'encounter',
    force: '35',
    person: { pncId: TOM.pnc, prisonNumber: TOM.noms },
    place: 'Cathedral Square',
    concern: 'DRUNK',
    pleaseCollect: true,
    callBackNumber: '01733 496 102',
    encounteredAt: new Date().toISOString(),
    match: { basis: 'PNC_ID' },
    query: { reasonCode: '16', justification: 'Welfare check in the street' },
  })
  await until('the encounter is in the store', async () => {
    const page = await openWindow(browser)
    await signIn(page, stage.desk, 'mary', PASSWORD)
    const there = (await page.getByText('Cathedral Square').count()) > 0
    await page.context().close()
    return there
  })
  await duty.context().setOffline(false)
  await duty.getByRole('row').filter({ hasText: 'Cathedral Square' }).waitFor({ timeout: 30000 })
  assert.equal(await duty.getByRole('row').filter({ hasText: 'Cathedral Square' }).count(), 1)
})

step('the alert is acknowledged with the keyboard alone, by name', async () => {
  await duty.goto(`${stage.desk}/alerts`)
  await mustBeAccessible(duty)
  await picture(duty, 'alerts')
  // Tab until the button of the arrest has the focus.
  let reached = false
  for (let i = 0; i < 60 && !reached; i++) {
    await duty.keyboard.press('Tab')
    reached = await duty.evaluate(() => document.activeElement?.textContent?.trim().startsWith('Acknowledge') ?? false)
  }
  assert.ok(reached, 'the button can be reached with the keyboard')
  await duty.keyboard.press('Enter')
  await duty.getByText('You have acknowledged the alert.').waitFor()
  await duty.getByText('Dora Duty').or(duty.getByText('dora')).first().waitFor()
  const rest = duty.getByRole('button', { name: /^Acknowledge/ })
  while ((await rest.count()) > 0) {
    await rest.first().click()
    await duty.getByText('You have acknowledged the alert.').waitFor()
  }
  await until('the broker has the acknowledgement', () =>
    stage
      .run('ttgctl', '--config', stage.at('etc/ttgd.conf'), '--json', 'mailboxes')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ mailbox }) => mailbox === 'one-service/duty')
      .every(({ queued, in_flight }) => !queued && !in_flight))
})

step('"no further action" visibly corrects the arrest', async () => {
  await duty.goto(`${stage.desk}/alerts`)
  stage.dropJson('police', `nfa-${stage.alert}.json`, {
    kind: 'custodyUpdate',
    alertId: stage.alert,
    force: '35',
    person: { pncId: TOM.pnc, prisonNumber: TOM.noms },
    disposition: 'NFA',
    disposedAt: new Date().toISOString(),
    releasedAt: new Date().toISOString(),
  })
  await until('the arrest is marked', async () => {
    await duty.goto(`${stage.desk}/alerts`)
    return (await duty.getByText('No further action').count()) > 0
  })
  await mustBeAccessible(duty)
  await picture(duty, 'no further action')
  await duty.getByRole('link', { name: 'What happened' }).first().click()
  await mustBeAccessible(duty)
  await picture(duty, 'alert')
})

step('a changed release time moves in the open gate diary', async () => {
  dropDiary('09:00')
  await until('the release is in the diary', async () => {
    await duty.goto(`${stage.desk}/diary`)
    return (await duty.getByRole('row').filter({ hasText: TOM.noms }).filter({ hasText: '09:00' }).count()) > 0
  })
  await mustBeAccessible(duty)
  await duty.evaluate(() => (window.stayed = true))
  dropDiary('08:15')
  const row = duty.getByRole('row').filter({ hasText: TOM.noms }).filter({ hasText: '08:15' })
  await row.waitFor()
  assert.match(await row.innerText(), /09:00/, 'the old time stands beside the new one')
  assert.equal(await duty.evaluate(() => window.stayed), true)
  assert.match(await row.innerText(), /Out of area/i)
  await picture(duty, 'diary')
  for (const path of ['/diary/print', '/boards']) {
    await duty.goto(stage.desk + path)
    await duty.getByText(TOM.noms).first().waitFor()
    await mustBeAccessible(duty)
  }
  const calendar = await duty.request.get(`${stage.desk}/diary.ics`)
  assert.match(await calendar.text(), /^BEGIN:VCALENDAR\r\n[^]*SUMMARY:[^\r]*A1234BC/)
})

step('a referral made on the desk is accepted on the provider\'s page and turns green on the desk', async () => {
  const desk = await openWindow(browser)
  const mind = await openWindow(browser)
  await signIn(desk, stage.desk, 'carl', PASSWORD)
  await desk.goto(`${stage.desk}/people?q=${TOM.noms}`)
  await mustBeAccessible(desk)
  await desk.getByRole('link', { name: TOM.noms }).first().click()
  await mustBeAccessible(desk)
  await picture(desk, 'person')
  await desk.getByRole('link', { name: /referral/i }).first().click()
  await mustBeAccessible(desk)
  await desk.getByLabel('Provider').selectOption('mind')
  await desk.getByLabel('What it is for').selectOption({ label: 'Health and wellbeing' })
  await desk.getByLabel('What you ask for').fill('Low mood; please ring him on Tuesday')
  await desk.getByLabel('Community').check()
  await desk.getByLabel(/telephone/i).first().fill('01733 000 111')
  await desk.getByRole('button', { name: 'Send' }).click()
  await desk.waitForURL(/\/sent\//)
  const sent = desk.url()

  await signIn(mind, stage.mind, 'mina', PASSWORD)
  await until('the referral is in the inbox', async () => {
    await mind.goto(`${stage.mind}/new`)
    return (await mind.getByText(TOM.caseNumber).count()) > 0
  })
  await mustBeAccessible(mind)
  await picture(mind, 'inbox')
  await mind.getByRole('row').filter({ hasText: TOM.caseNumber }).getByRole('link').first().click()
  await mind.getByText('Low mood; please ring him on Tuesday').waitFor()
  const shown = await mind.locator('main').innerText()
  for (const secret of [TOM.noms, TOM.pnc, 'Thorpe Wood', 'Luton']) assert.ok(!shown.includes(secret), `the provider is not told ${secret}`)
  await mustBeAccessible(mind)
  await picture(mind, 'referral')
  await mind.getByRole('button', { name: 'Accept' }).click()
  await mustBeAccessible(mind)
  await mind.getByRole('main').getByRole('button', { name: 'Accept' }).click()
  await mind.getByText('Accepted: the answer is on its way.').waitFor()

  await until('the desk shows the answer', async () => {
    await desk.goto(sent)
    return (await desk.locator('.govuk-tag--green').filter({ hasText: /accepted/i }).count()) > 0
  })
  await picture(desk, 'referral answered')
  await mind.context().close()
  await desk.context().close()
})

step('every page is accessible, also without scripts, and small', async () => {
  const page = await openWindow(browser)
  await signIn(page, stage.desk, 'mary', PASSWORD)
  await page.goto(`${stage.desk}/people?q=${TOM.noms}`)
  const person = await page.getByRole('link', { name: TOM.noms }).first().getAttribute('href')
  const forms = ['enrol', 'contact', 'needs', 'exit', 'withdraw', 'referral', 'flag'].map((form) => `${person}/${form}`)
  const pages = ['/live', '/alerts', '/diary', '/diary?days=today', '/diary?days=tomorrow', '/boards', '/people', person, ...forms,
    '/people/new', '/access', '/sent', '/figures', '/figures/engagement', '/figures/needs', '/figures/outcome', '/figures/referrals', '/password', '/nowhere']
  for (const path of pages) {
    const answer = await page.goto(stage.desk + path)
    assert.ok(answer.status() === 200 || path === '/nowhere', `${path}: ${answer.status()}`)
    assert.ok((await answer.body()).length < 100 * 1024, `${path} is under 100 KiB`)
    await mustBeAccessible(page)
    await picture(page, `page ${path.replace(/[^a-z0-9]+/g, ' ').trim()}`)
  }
  // His release is ten days away.
  assert.equal((await page.goto(`${stage.desk}${person}/gate-meeting`)).status(), 409)
  await mustBeAccessible(page)
  assert.deepEqual(page.mistakes, [])
  await page.context().close()

  const plain = await openWindow(browser, { scripts: false })
  await signIn(plain, stage.desk, 'mary', PASSWORD)
  await plain.goto(`${stage.desk}/live`)
  await plain.getByRole('row').filter({ hasText: 'ARRESTED' }).waitFor()
  await plain.goto(stage.desk + person + '/contact')
  await plain.getByLabel('Telephone', { exact: true }).check()
  await plain.getByRole('button', { name: 'Send' }).click()
  await plain.getByText('There is a problem').waitFor()
  await plain.context().close()
})

step('the evaluator reads figures that name nobody', async () => {
  const page = await openWindow(browser)
  await signIn(page, stage.desk, 'eve', PASSWORD)
  await until('the figures are there', async () => {
    await page.goto(`${stage.desk}/figures/engagement`)
    return (await page.getByText('cohort-3').count()) > 0
  }, 60000)
  await mustBeAccessible(page)
  await page.getByText('<5').first().waitFor()
  const csv = await (await page.request.get(`${stage.desk}/figures/engagement/csv`)).text()
  assert.match(csv, /cohort-3/)
  for (const text of [csv, await page.content()]) for (const name of [TOM.noms, TOM.pnc, TOM.caseNumber]) assert.ok(!text.includes(name))
  await picture(page, 'figures')
  await page.context().close()
})

step('who signs out is out, and the pages made no mistakes', async () => {
  await duty.goto(`${stage.desk}/live`)
  await duty.getByRole('button', { name: 'Sign out' }).click()
  await duty.goto(`${stage.desk}/live`)
  assert.equal(new URL(duty.url()).pathname, '/sign-in')
  assert.deepEqual(duty.mistakes.filter((mistake) => !/ERR_INTERNET_DISCONNECTED/.test(mistake)), [])
})
