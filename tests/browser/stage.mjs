// The real programs for browser tests: a broker, the agencies' adapters, the duty desk and a
// provider's inbox, on free ports in a folder of their own. Configuration is the samples of etc/,
// changed where a port or a path must be another.
import { spawn, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

const source = process.env.TTG_SOURCE
const DEADLINE_MS = 20000

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** Waits for what a function gives, asking every 50 ms; fails with `what` after the deadline. */
export async function until(what, look, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`did not happen in ${deadline} ms: ${what}`)
    await sleep(50)
  }
}

async function freePorts(n) {
  const servers = await Promise.all(
    Array.from({ length: n }, () => new Promise((done, fail) => {
      const server = net.createServer().on('error', fail)
      server.listen(0, '127.0.0.1', () => done(server))
    })))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** Sets `key = value;` in the text of a sample, also where it is commented out. */
function set(text, key, value) {
  const line = new RegExp(`^([ \\t]*)(?:#[ \\t]*)?${key}[ \\t]*=[ \\t]*[^;]*;|(\\{[ \\t]*)${key}[ \\t]*=[ \\t]*[^;]*;`, 'm')
  if (!line.test(text)) throw new Error(`the sample has no option ${key}`)
  return text.replace(line, `$1$2${key} = ${value};`)
}

/** The same inside of one group, `name = { ... };`. */
function setIn(text, group, key, value) {
  const block = new RegExp(`^${group} = \\{[^]*?\\};`, 'm')
  if (!block.test(text)) throw new Error(`the sample has no group ${group}`)
  return text.replace(block, (found) => set(found, key, value))
}

export class Stage {
  static async open(bin) {
    const stage = new Stage()
    stage.bin = bin
    stage.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'throughgate-browser.'))
    stage.processes = []
    ;[stage.port, stage.httpPort, stage.deskPort, stage.mindPort] = await freePorts(4)
    stage.desk = `http://127.0.0.1:${stage.deskPort}`
    stage.mind = `http://127.0.0.1:${stage.mindPort}`
    try {
      await stage.start()
    } catch (error) {
      stage.tell()
      await stage.close()
      throw error
    }
    return stage
  }

  at(...parts) {
    return path.join(this.dir, ...parts)
  }

  run(program, ...args) {
    return execFileSync(path.join(this.bin, program), args, { encoding: 'utf8', stdio: 'pipe' })
  }

  configure(sample, to, change) {
    fs.writeFileSync(to, change(fs.readFileSync(path.join(source, 'etc', sample), 'utf8')))
  }

  writeBroker() {
    const etc = this.at('etc')
    fs.mkdirSync(path.join(etc, 'keys'), { recursive: true, mode: 0o700 })
    for (const folder of ['agencies.d', 'agreements.d'])
      fs.cpSync(path.join(source, 'etc', folder), path.join(etc, folder), { recursive: true })
    this.configure('ttgd.conf', path.join(etc, 'ttgd.conf'), (text) => {
      text = set(text, 'endpoint', `"tcp://127.0.0.1:${this.port}"`)
      text = set(text, 'http_port', this.httpPort)
      text = set(text, 'control_socket', `"${this.at('control')}"`)
      text = setIn(text, 'journal', 'directory', `"${this.at('journal')}"`)
      text = setIn(text, 'archive', 'directory', `"${this.at('archive')}"`)
      text = setIn(text, 'keys', 'directory', `"${this.at('keys')}"`)
      return set(text, 'master_file', '"keys/master.key"')
    })
    this.run('ttgctl', 'keygen', '--server', '--out', path.join(etc, 'keys'))
    this.run('ttgctl', 'keygen', '--journal', '--out', path.join(etc, 'keys'))
    this.run('ttgctl', 'keygen', '--master', '--out', path.join(etc, 'keys'))
    for (const file of fs.readdirSync(path.join(etc, 'agencies.d')))
      this.run('ttgctl', 'keygen', '--agency', path.basename(file, '.conf'), '--out', path.join(etc, 'keys'))
  }

  /** Configuration of an adapter; its folders are made. */
  writeAdapter(name, sample, change = (text) => text) {
    for (const folder of ['spool', 'state', 'out']) fs.mkdirSync(this.at(name, folder), { recursive: true, mode: 0o700 })
    this.configure(sample, this.at('etc', `${name}.conf`), (text) => {
      const agency = /^agency = "([^"]*)";/m.exec(text)[1]
      text = set(text, 'broker', `"tcp://127.0.0.1:${this.port}"`)
      text = set(text, 'server_key_file', `"${this.at('etc/keys/broker.pub')}"`)
      text = set(text, 'key_file', `"${this.at('etc/keys', `${agency}.key`)}"`)
      text = set(text, 'state_dir', `"${this.at(name, 'state')}"`)
      text = setIn(text, 'spool', 'dir', `"${this.at(name, 'spool')}"`)
      return change(text)
    })
  }

  writeDesk() {
    this.configure('adapters/desk.conf', this.at('etc', 'desk.conf'), (text) => {
      text = setIn(text, 'store', 'path', `"${this.at('oneservice/state/case.db')}"`)
      text = setIn(text, 'spool', 'dir', `"${this.at('oneservice/spool')}"`)
      text = set(text, 'users_file', `"${this.at('desk.users')}"`)
      return setIn(text, 'http', 'port', this.deskPort)
    })
  }

  /** A user of the desk, or of the inbox of the provider. */
  addUser(program, file, user, role, name, password) {
    execFileSync(path.join(this.bin, program), ['user', 'add', user, '--role', role, '--name', name, '--file', file], {
      input: `${password}\n`,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  begin(program, ...args) {
    const log = fs.openSync(this.at(`${args.at(-1).split('/').at(-1)}.${program}.log`), 'a')
    const child = spawn(path.join(this.bin, program), args, { stdio: ['ignore', log, log] })
    child.program = program
    child.ended = new Promise((done) => child.on('exit', done))
    fs.closeSync(log)
    this.processes.push(child)
    return child
  }

  async start() {
    this.writeBroker()
    const out = (name) => (text) => set(text, 'out_dir', `"${this.at(name, 'out')}"`)
    this.writeAdapter('prison', 'adapters/prison.conf', out('prison'))
    this.writeAdapter('police', 'adapters/police.conf', out('police'))
    this.writeAdapter('oneservice', 'adapters/oneservice.conf', (text) => set(text, 'alerts', '"people"'))
    this.writeAdapter('mind', 'adapters/partners/mind.conf', (text) => {
      text = setIn(text, 'web', 'port', this.mindPort)
      text = setIn(text, 'summary', 'dir', `"${this.at('mind', 'out')}"`)
      return setIn(text, 'web', 'users_file', `"${this.at('mind.users')}"`)
    })
    this.writeDesk()
    this.begin('ttgd', '--config', this.at('etc/ttgd.conf'))
    await until('the broker answers', () => {
      try {
        return this.run('ttgctl', '--config', this.at('etc/ttgd.conf'), '--json', 'status')
      } catch {
        return false
      }
    })
    for (const name of ['prison', 'police', 'oneservice'])
      this.begin(`ttg-${name}`, '--config', this.at('etc', `${name}.conf`))
    await until('the case store is there', () => fs.existsSync(this.at('oneservice/state/case.db')))
  }

  /** The web ends, once they have users. */
  async startWeb() {
    this.begin('ttg-partner', '--config', this.at('etc', 'mind.conf'))
    this.begin('ttg-desk', '--config', this.at('etc', 'desk.conf'))
    for (const address of [this.desk, this.mind])
      await until(`${address} answers`, () => fetch(`${address}/sign-in`).then((answer) => answer.ok, () => false))
  }

  /** Puts a file where an agency's own system would: whole, by a rename. */
  drop(adapter, name, text) {
    fs.writeFileSync(this.at(adapter, `${name}.part`), text)
    fs.renameSync(this.at(adapter, `${name}.part`), this.at(adapter, 'spool', name))
  }

  dropJson(adapter, name, value) {
    this.drop(adapter, name, JSON.stringify(value))
  }

  /** What the programs said, for a test that failed. */
  tell() {
    for (const file of fs.readdirSync(this.dir).filter((one) => one.endsWith('.log')))
      console.error(`--- ${file}\n${fs.readFileSync(this.at(file), 'utf8').split('\n').slice(-30).join('\n')}`)
  }

  async close() {
    for (const child of [...this.processes].reverse()) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 15000)
      await child.ended
      clearTimeout(late)
    }
    fs.rmSync(this.dir, { recursive: true, force: true })
  }
}
