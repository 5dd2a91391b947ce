import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { SeenRequest } from './application-requests.ts'

type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

const LINKS = [
  ['/', 'Home', 'Who you are, as far as this server was told'],
  ['/payroll', 'My payslip', 'Your pay for this month'],
  ['/admin', 'Administration', 'For the payroll office'],
  ['/basic', 'Telephone list', 'A page that needs a password only'],
  ['/public', 'Canteen menu', 'A page that anybody may read'],
  ['/board', 'Notice board', 'What colleagues say, at once (a WebSocket)'],
  ['/challenge', 'Salary change', 'A page that asks for a code by itself'],
  ['/salaries', 'Salary table', 'A page whose script does so, by step-up.js'],
  ['/whoami', 'Request data', 'What this server was sent, as JSON'],
] as const

/** Who the request says that the visitor is, and a form that posts. */
export function homePage(seen: SeenRequest, visits: number): Markup {
  const user = header(seen, 'x-forwarded-user')
  return page('Home', '/', seen, [
    html`<h2>${user ? `Welcome, ${user}!` : 'Welcome, stranger!'}</h2>
      <p>${
        user
          ? 'This server has no passwords of its own. It believes these headers:'
          : 'Nobody told this server who you are.'
      }</p>
      ${identityTable(seen)}
      <p>You have opened this page ${visits} ${visits === 1 ? 'time' : 'times'}.</p>`,
    html`<h2>Leave a note for the payroll office</h2>
      <form method="post" action="/form">
        <p><label for="note">Your note</label><br>
        <textarea id="note" name="note" rows="3" cols="40"></textarea></p>
        <p><button type="submit">Send note</button></p>
      </form>`,
    html`<h2>What else is here</h2>
      <dl>${LINKS.slice(1).map(
        ([href, name, text]) => html`<dt><a href="${href}">${name}</a></dt><dd>${text}</dd>`,
      )}</dl>`,
  ])
}

/** A payslip with made-up figures. */
export function payrollPage(seen: SeenRequest): Markup {
  const user = header(seen, 'x-forwarded-user')
  return page('My payslip', '/payroll', seen, [
    html`<h2>Payslip of ${user || 'nobody'}</h2>
      ${table(
        ['Item', 'Amount'],
        [
          ['Base salary', '4,200.00'],
          ['Overtime (6 h)', '210.00'],
          ['Income tax', '-812.40'],
          ['Pension', '-390.60'],
          ['Canteen', '-48.00'],
          ['To be paid', '3,159.00'],
        ],
      )}`,
  ])
}

/** The page for the payroll office. */
export function adminPage(seen: SeenRequest): Markup {
  return page('Administration', '/admin', seen, [
    html`<h2>Monthly run</h2>
      ${table(
        ['Department', 'People', 'State'],
        [
          ['Accounts', '12', 'Checked'],
          ['Warehouse', '48', 'Checked'],
          ['Sales', '21', 'Waiting'],
        ],
      )}`,
  ])
}

/** What came of a form or of any other body. */
export function receivedPage(seen: SeenRequest): Markup {
  const note = new URLSearchParams(seen.body).get('note')
  return page('Note received', '', seen, [
    html`<h2>Thank you!</h2>
      <p>This server received ${seen.bytes.length} bytes
        (${header(seen, 'content-type') || 'no content type'}):</p>
      <pre id="received">${note ?? seen.body}</pre>`,
  ])
}

/** What everybody says, as they say it. */
export function boardPage(seen: SeenRequest): Markup {
  return page('Notice board', '/board', seen, [
    html`<h2>Notice board</h2>
      <p id="state" role="status">Connecting …</p>
      <ul id="notices"></ul>
      <form id="say"><p><label for="notice">Your notice</label><br>
        <input id="notice" maxlength="100" autocomplete="off"> <button>Pin</button></p></form>
      <script>${raw(BOARD_SCRIPT)}</script>`,
  ])
}

const BOARD_SCRIPT = `
const state = document.querySelector('#state')
const field = document.querySelector('#notice')
const socket = new WebSocket(location.href.replace(/^http/, 'ws'), 'board.2004')
socket.onopen = () => { state.textContent = 'Connected' }
socket.onclose = ({ code, reason }) => {
  state.textContent = 'Closed: ' + code + (reason && ' ' + reason)
}
socket.onmessage = ({ data }) => {
  const item = document.createElement('li')
  item.textContent = data
  document.querySelector('#notices').append(item)
}
document.querySelector('#say').onsubmit = (event) => {
  event.preventDefault()
  socket.send(field.value)
  field.value = ''
}
`

/** A form that a script sends, and that `step-up.js` sends again once there was a code. */
export function salariesPage(seen: SeenRequest): Markup {
  return page('Salary table', '/salaries', seen, [
    html`<h2>Salary table</h2>
      ${table(
        ['Name', 'Salary'],
        [
          ['Adams, Alice', '4,200.00'],
          ['Baker, Bob', '3,900.00'],
        ],
      )}
      <form id="change"><p><label for="salary">Alice's new salary</label><br>
        <input id="salary" name="salary" maxlength="20" autocomplete="off"> <button>Save</button></p></form>
      <p id="saved" role="status"></p>
      <script type="module" src="/_stepgate/assets/step-up.js"></script>
      <script>${raw(SALARIES_SCRIPT)}</script>`,
  ])
}

const SALARIES_SCRIPT = `
const form = document.querySelector('#change')
form.onsubmit = async (event) => {
  event.preventDefault()
  const body = new URLSearchParams(new FormData(form))
  const response = await fetch('/challenge', { method: 'POST', body })
  const saved = document.querySelector('#saved')
  saved.textContent = response.ok ? 'Saved: ' + body.get('salary') : 'Not saved'
}
`

/** A heading and one sentence. */
export function plainPage(
  seen: SeenRequest,
  props: { readonly title: string; readonly text: string; readonly path?: string },
): Markup {
  return page(props.title, props.path ?? '', seen, [
    html`<h2>${props.title}</h2><p>${props.text}</p>`,
  ])
}

function page(title: string, path: string, seen: SeenRequest, panels: readonly Markup[]): Markup {
  const user = header(seen, 'x-forwarded-user')
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Payroll 2004</title>
<link rel="stylesheet" href="/payroll.css">
</head>
<body>
<header>
  <h1>Payroll 2004</h1>
  <p>${
    user
      ? html`Signed on as <b id="user">${user}</b> | <a href="/_stepgate/sign-out">Sign out</a> | <a href="/_stepgate/sign-out?ask=yes">On all devices</a>`
      : 'Not signed on'
  }</p>
</header>
<div class="columns">
<nav aria-label="Pages"><ul>${LINKS.map(
    ([href, name]) =>
      html`<li><a href="${href}"${href === path ? html` aria-current="page"` : ''}>${name}</a></li>`,
  )}</ul></nav>
<main>${panels.map((panel) => html`<section>${panel}</section>`)}</main>
</div>
<footer>Payroll 2004 Professional, release 3.1. Best viewed at 800 x 600.</footer>
</body>
</html>`
}

function identityTable(seen: SeenRequest): Markup {
  const rows = [
    ['User', 'x-forwarded-user'],
    ['E-mail', 'x-forwarded-email'],
    ['Groups', 'x-forwarded-groups'],
    ['Subject', 'x-stepgate-subject'],
    ['Assurance (acr)', 'x-stepgate-acr'],
    ['Methods (amr)', 'x-stepgate-amr'],
    ['Signed in at', 'x-stepgate-auth-time'],
    ['Code at', 'x-stepgate-otp-time'],
    ['Address', 'x-forwarded-for'],
  ] as const
  const shown = (name: string) =>
    name.endsWith('-time') ? readTime(header(seen, name)) : header(seen, name)
  return table(
    ['What', 'Value'],
    rows.map(([label, name]) => [label, shown(name) || '-']),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  return html`<table><thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ([first, ...rest]) =>
        html`<tr><th scope="row">${first}</th>${rest.map((text) => html`<td>${text}</td>`)}</tr>`,
    )}</tbody></table>`
}

function header(seen: SeenRequest, name: string): string {
  return [seen.headers[name] ?? ''].flat().join(', ')
}

function readTime(seconds: string): string {
  if (!/^\d{1,11}$/.test(seconds)) return seconds
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** The style sheet: grey panels with raised edges, as they were in 2004, but readable on a phone. */
export const applicationStyles = `
* { box-sizing: border-box; }
body {
  margin: 0; background: #f3f1ea; color: #111;
  font: 14px/1.5 Verdana, Tahoma, "DejaVu Sans", Geneva, sans-serif;
}
header {
  display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline;
  justify-content: space-between; padding: .5rem 1rem; color: #fff;
  background: linear-gradient(#2f5fa8, #123a78); border-bottom: 3px solid #f0a500;
}
header h1 { margin: 0; font: italic bold 22px Georgia, "Times New Roman", serif; }
header p { margin: 0; }
header a { color: #ffe08a; }
.columns { display: flex; gap: 1rem; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
nav { flex: 0 0 11rem; }
nav ul { margin: 0; padding: 0; list-style: none; border: 2px outset #fff; background: #d9d5c9; }
nav a {
  display: block; padding: .4rem .6rem; color: #0b2f6b; text-decoration: none;
  border-bottom: 1px solid #b7b2a4;
}
nav a:hover, nav a:focus-visible { background: #fff8dc; text-decoration: underline; }
nav [aria-current] { background: #123a78; color: #fff; font-weight: bold; }
main { flex: 1; min-width: 0; }
section { margin: 0 0 1rem; padding: .75rem 1rem; background: #fff; border: 2px groove #d9d5c9; }
h2 { margin: 0 0 .5rem; font-size: 16px; color: #123a78; border-bottom: 1px dotted #123a78; }
p { margin: 0 0 .75rem; }
a { color: #0b2f6b; }
table { width: 100%; border-collapse: collapse; margin: 0 0 .75rem; }
th, td { padding: .3rem .5rem; border: 1px solid #b7b2a4; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
thead th { background: #123a78; color: #fff; }
tbody th { font-weight: normal; }
tbody tr:nth-child(even) { background: #f3f1ea; }
dt { font-weight: bold; }
dd { margin: 0 0 .4rem 1rem; }
textarea { width: 100%; max-width: 30rem; font: inherit; border: 2px inset #d9d5c9; padding: .3rem; }
button {
  padding: .4rem 1rem; font: inherit; color: #111; background: #d9d5c9;
  border: 2px outset #fff; box-shadow: 0 0 0 1px #6b6758; cursor: pointer;
}
button:active { border-style: inset; }
pre {
  margin: 0; padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: #f3f1ea; border: 2px inset #d9d5c9;
}
footer { padding: .5rem 1rem 1rem; text-align: center; font-size: 12px; color: #555; }
@media (max-width: 40rem) {
  .columns { flex-direction: column; }
  nav { flex: none; }
  nav ul { display: grid; grid-template-columns: 1fr 1fr; }
}
`
