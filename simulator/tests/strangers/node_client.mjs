// HubSpot's official Node client reads every type by list, search and batch, reads the portal, writes, checks signatures.

import http from 'node:http'
import { createRequire } from 'node:module'

const require = createRequire(`${process.argv[3]}/`)
const { Client, Signature, AssociationTypes } = require('@hubspot/api-client')

const base = process.argv[2]
const key = 'pat-na1-51300000-0000-4000-8000-000000000001'
// The client slows itself down to HubSpot's limits; here nothing is limited.
const unlimited = { minTime: 0, maxConcurrent: 4 }
const client = new Client({ accessToken: key, basePath: base, limiterOptions: unlimited, numberOfApiCallRetries: 2 })
const types = ['contacts', 'companies', 'deals', 'emails', 'notes', 'calls', 'meetings', 'tasks']
const api = (type) => client.crm[type] ?? client.crm.objects[type]

async function ask(path, body) {
  const answer = await fetch(base + path, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body) })
  return answer.text()
}

const truth = async (type) => (await ask(`/__sim/truth/ids?type=${type}`)).split('\n').filter(Boolean).sort()

function check(what, got, wanted) {
  const text = (value) => JSON.stringify(value)
  if (text(got) !== text(wanted)) {
    console.error(`Node client: ${what}: ${text(got).slice(0, 300)} instead of ${text(wanted).slice(0, 300)}`)
    process.exit(1)
  }
  console.log(`Node client: ${what}: ${Array.isArray(got) && got.length > 3 ? `${got.length} ids` : text(got)}`)
}

const ids = (records) => [...new Set(records.map((record) => record.id))].sort()

async function readType(type) {
  const all = await truth(type)
  const modified = type === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate'
  const basic = api(type).basicApi
  const [listed, past] = [[], []]
  for (let after; ;) {
    const page = await basic.getPage(100, after, [modified], undefined, ['contacts', 'companies'])
    listed.push(...page.results)
    if (!(after = page.paging?.next?.after)) break
  }
  check(`${type} listed`, ids(listed), all)
  for (let after; ;) {
    const page = await basic.getPage(50, after, [], ['hubspot_owner_id'])
    past.push(...page.results)
    if (!(after = page.paging?.next?.after)) break
  }
  check(`${type} with history`, ids(past), all)
  if (!(listed[0].createdAt instanceof Date)) check(`${type} dates`, typeof listed[0].createdAt, 'Date')
  const found = []
  for (let after = '0'; after;) {
    const page = await api(type).searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: modified, operator: 'GTE', value: '1577836800000' }] }],
      sorts: [{ propertyName: modified, direction: 'ASCENDING' }],
      properties: [modified], limit: 200, after,
    })
    found.push(...page.results)
    after = page.paging?.next?.after
  }
  check(`${type} searched`, ids(found), all)
  const inputs = all.slice(0, 100).map((id) => ({ id }))
  const batch = await api(type).batchApi.read({ properties: [modified], propertiesWithHistory: [], inputs })
  check(`${type} by batch`, ids(batch.results), all.slice(0, 100))
}

async function readPortal() {
  const contacts = await truth('contacts')
  const record = JSON.parse(await ask(`/__sim/truth/record?type=contacts&id=${contacts[0]}`))
  const v4 = client.crm.associations.v4
  const batch = await v4.batchApi.getPage('contacts', 'companies', { inputs: contacts.map((id) => ({ id })) })
  const own = batch.results.find((row) => row._from.id === contacts[0])
  check('companies of a contact', (own?.to ?? []).map((to) => String(to.toObjectId)).sort(), record.companies.sort())
  check('owners', (await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, false)).results.length, 9)
  check('archived owners', (await client.crm.owners.ownersApi.getPage(undefined, undefined, 100, true)).results.length, 3)
  check('pipelines', (await client.crm.pipelines.pipelinesApi.getAll('deals')).results.length, 2)
  for (const type of types) {
    const properties = (await client.crm.properties.coreApi.getAll(type)).results
    const one = await client.crm.properties.coreApi.getByName(type, properties[0].name)
    check(`properties of ${type}`, one.name, properties[0].name)
  }
  // The client's models know one type of form, and it fails on the two others HubSpot lists.
  const { formsApi } = client.marketing.forms
  check('forms', (await formsApi.getPage(undefined, 50, false, ['hubspot'])).results.length, 2)
}

async function connect() {
  const scopes = 'oauth crm.objects.contacts.read'
  const redirect = 'https://app.example/callback'
  const page = new URL(client.oauth.getAuthorizationUrl('sim-client-id', redirect, scopes))
  const form = new URLSearchParams([...page.searchParams, ['decision', 'approve']])
  const decided = await fetch(`${base}/oauth/authorize/decision`, { method: 'POST', body: form, redirect: 'manual' })
  const code = new URL(decided.headers.get('location')).searchParams.get('code')
  const { tokensApi, accessTokensApi, refreshTokensApi } = client.oauth
  const first = await tokensApi.create('authorization_code', code, redirect, 'sim-client-id', 'sim-client-secret')
  const again = await tokensApi.create('refresh_token', undefined, undefined, 'sim-client-id', 'sim-client-secret', first.refreshToken)
  check('token life', [first.expiresIn, again.expiresIn], [1800, 1800])
  const info = await accessTokensApi.get(again.accessToken)
  check('token info', [info.scopes.sort(), info.tokenType], [scopes.split(' ').sort(), 'access'])
  check('refresh token info', (await refreshTokensApi.get(again.refreshToken)).clientId, 'sim-client-id')
  await refreshTokensApi.archive(again.refreshToken)
  const refused = await tokensApi
    .create('refresh_token', undefined, undefined, 'sim-client-id', 'sim-client-secret', first.refreshToken)
    .catch((error) => error.code)
  check('revoked refresh token', refused, 400)
}

async function write() {
  const contact = (await truth('contacts'))[0]
  const properties = { hs_timestamp: '2026-11-23T09:00:00Z', hs_note_body: 'hello' }
  const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: AssociationTypes.noteToContact }]
  const note = await client.crm.objects.notes.basicApi.create({ properties, associations: [{ to: { id: contact }, types }] })
  check('note tied', (await client.crm.associations.v4.basicApi.getPage('notes', note.id, 'contacts')).results.length, 1)
  const inputs = Array.from({ length: 10 }, () => ({ properties, associations: [] }))
  const made = await client.crm.objects.notes.batchApi.create({ inputs })
  check('notes created', made.results.length, 10)
  await client.crm.objects.notes.batchApi.archive({ inputs: made.results.map(({ id }) => ({ id })) })
  const upserted = await client.crm.contacts.batchApi.upsert({
    inputs: [{ id: 'node@firm.example', idProperty: 'email', properties: { city: 'Ulm' } }],
  })
  check('upserted', upserted.results[0]._new, true)
}

// The client repeats a call only after refusals in exactly HubSpot's words, and after errors of the server.
async function patience() {
  const journal = async () => JSON.parse(await ask('/__sim/journal'))
  await ask('/__sim/rate-limit', { per_ten_seconds: 1000, search_per_second: 2 })
  const before = (await journal()).rate_limit_violations
  const patient = new Client({ accessToken: key, basePath: base, limiterOptions: unlimited, numberOfApiCallRetries: 6 })
  for (let n = 0; n < 4; n++) {
    await patient.crm.contacts.searchApi.doSearch({ filterGroups: [], sorts: [], properties: [], limit: 1, after: '0' })
  }
  check('searches repeated after a refusal', (await journal()).rate_limit_violations > before, true)
  await ask('/__sim/rate-limit', {})
  await ask('/__sim/faults', { rules: [{ route: 'GET crm/objects/contacts', do: 'status', status: 502, times: 1 }] })
  check('page repeated after a 502', (await patient.crm.contacts.basicApi.getPage(1)).results.length, 1)
}

async function signatures() {
  const verdicts = new Set()
  const server = http.createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const common = {
        clientSecret: 'secret', requestBody: Buffer.concat(parts).toString(), method: 'POST',
        url: `http://127.0.0.1:${server.address().port}${request.url}`,
      }
      const version = request.headers['x-hubspot-signature-version']
      const old = Signature.isValid({ ...common, signature: request.headers['x-hubspot-signature'], signatureVersion: version })
      const timestamp = Number(request.headers['x-hubspot-request-timestamp'])
      const fresh = Signature.isValid({ ...common, signature: request.headers['x-hubspot-signature-v3'], signatureVersion: 'v3', timestamp })
      verdicts.add(`${version} ${old} ${fresh}`)
      response.writeHead(204).end()
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${server.address().port}/hook?org=7`
  for (const versions of [['v1', 'v3'], ['v2', 'v3']]) {
    await ask('/__sim/webhooks/target', { url, client_secret: 'secret', versions })
    await ask('/__sim/objects/notes', { count: 3, properties: { hs_note_body: 'Grüße 日本' } })
    await ask('/__sim/webhooks/flush', { attempts: 1 })
  }
  server.close()
  check('signatures', [...verdicts].sort(), ['v1 true true', 'v2 true true'])
}

for (const type of types) await readType(type)
await readPortal()
await connect()
await write()
await patience()
await signatures()
process.exit(0)
