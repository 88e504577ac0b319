// The HubSpot sandbox through HubSpot's own Node client, unchanged.
import assert from "node:assert/strict"
import {test} from "node:test"
import {Client} from "@hubspot/api-client"

const described = JSON.parse(process.env.SANDBOX).hubspot
const admin = JSON.parse(process.env.SANDBOX).admin.url
const options = {accessToken: described.token, basePath: described.url, numberOfApiCallRetries: 3}
const client = new Client(options)
const mark = `n${process.pid}`

const address = (name) => `${name}.${mark}@node.test`
const refused = async (call) => {
  try {
    await call()
  } catch (error) {
    return error
  }
  assert.fail("the call was not refused")
}
const fault = async (rule) => {
  const answer = await fetch(`${admin}/faults`, {method: "POST", body: JSON.stringify({api: "hubspot", count: 1, ...rule})})
  assert.equal(answer.status, 200)
}

test("create, read, change, archive", async () => {
  const made = await client.crm.contacts.basicApi.create({properties: {email: address("Ana"), firstname: "Ana"}, associations: []})
  const read = await client.crm.contacts.basicApi.getById(made.id, ["email", "phone"])
  assert.equal(read.properties.email, address("ana"))
  assert.equal(read.properties.phone, null)
  assert.ok(read.createdAt instanceof Date)
  const changed = await client.crm.contacts.basicApi.update(made.id, {properties: {firstname: "Anna"}})
  assert.equal(changed.properties.firstname, "Anna")
  await client.crm.contacts.basicApi.archive(made.id)
  const gone = await refused(() => client.crm.contacts.basicApi.getById(made.id))
  assert.equal(gone.code, 404)
})

test("a taken address is a conflict that names the id", async () => {
  const made = await client.crm.contacts.basicApi.create({properties: {email: address("twice")}, associations: []})
  const error = await refused(() => client.crm.contacts.basicApi.create({properties: {email: address("TWICE")}, associations: []}))
  assert.equal(error.code, 409)
  assert.match(error.body.message, new RegExp(`Existing ID: ${made.id}$`))
})

test("list pages by the id of the next record", async () => {
  for (const name of ["one", "two", "three"]) {
    await client.crm.contacts.basicApi.create({properties: {email: address(name)}, associations: []})
  }
  const first = await client.crm.contacts.basicApi.getPage(2, undefined, ["email"])
  assert.equal(first.results.length, 2)
  const second = await client.crm.contacts.basicApi.getPage(2, first.paging.next.after, ["email"])
  assert.ok(BigInt(second.results[0].id) > BigInt(first.results[1].id))
  const all = await client.crm.contacts.getAll(100)
  assert.ok(all.length >= 3)
})

test("search filters, sorts and pages", async () => {
  for (const name of ["s1", "s2", "s3"]) {
    await client.crm.contacts.basicApi.create({properties: {email: address(name), company: `Search ${mark}`}, associations: []})
  }
  const request = {
    filterGroups: [{filters: [{propertyName: "company", operator: "EQ", value: `Search ${mark}`}]}],
    sorts: ["hs_object_id"], properties: ["email"], limit: 2, after: "0",
  }
  let found
  for (let waited = 0; waited < 40; waited += 1) {
    found = await client.crm.contacts.searchApi.doSearch(request)
    if (found.total === 3) break
    await new Promise((done) => setTimeout(done, 250)) // the index lags, as the real one does
  }
  assert.equal(found.total, 3)
  const rest = await client.crm.contacts.searchApi.doSearch({...request, after: found.paging.next.after})
  assert.equal(rest.results.length, 1)
  assert.equal(rest.paging, undefined)
})

test("a rate limit is waited for by the client", async () => {
  await fault({kind: "429", path_regex: "/objects/contacts", policy: "SECONDLY"})
  const page = await client.crm.contacts.basicApi.getPage(1)
  assert.equal(page.results.length, 1)
})

test("a batch read tells what it did not find", async () => {
  const made = await client.crm.contacts.basicApi.create({properties: {email: address("batch")}, associations: []})
  const answer = await client.crm.contacts.batchApi.read({inputs: [{id: made.id}, {id: "999999999999"}], properties: ["email"], propertiesWithHistory: []})
  assert.equal(answer.results.length, 1)
  assert.equal(answer.numErrors, 1)
  assert.equal(answer.errors[0].category, "OBJECT_NOT_FOUND")
})

test("a batch upsert by address creates and changes", async () => {
  const input = (name) => ({id: address(name), idProperty: "email", properties: {firstname: name}})
  const first = await client.crm.contacts.batchApi.upsert({inputs: [input("up")]})
  assert.equal(first.results[0]._new ?? first.results[0].new, true)
  const again = await client.crm.contacts.batchApi.upsert({inputs: [input("up")]})
  assert.equal(again.results[0].id, first.results[0].id)
})

test("companies and associations", async () => {
  const person = await client.crm.contacts.basicApi.create({properties: {email: address("assoc")}, associations: []})
  const company = await client.crm.companies.basicApi.create({properties: {name: `Works ${mark}`, domain: `${mark}.test`}, associations: []})
  await client.crm.associations.v4.basicApi.createDefault("contacts", person.id, "companies", company.id)
  const page = await client.crm.associations.v4.basicApi.getPage("contacts", person.id, "companies")
  assert.equal(String(page.results[0].toObjectId), company.id)
  const read = await client.crm.contacts.basicApi.getById(person.id, ["associatedcompanyid"])
  assert.equal(read.properties.associatedcompanyid, company.id)
})

test("owners, properties and forms", async () => {
  const owners = await client.crm.owners.ownersApi.getPage()
  assert.ok(Array.isArray(owners.results))
  const property = await client.crm.properties.coreApi.getByName("contacts", "lifecyclestage")
  assert.ok(property.options.some((option) => option.value === "marketingqualifiedlead"))
  const forms = await client.marketing.forms.formsApi.getPage()
  assert.ok(Array.isArray(forms.results))
})

test("a merged contact answers under its old id", async () => {
  const keep = await client.crm.contacts.basicApi.create({properties: {email: address("keep")}, associations: []})
  const lose = await client.crm.contacts.basicApi.create({properties: {email: address("lose")}, associations: []})
  await client.apiRequest({method: "POST", path: "/crm/v3/objects/contacts/merge", body: {primaryObjectId: keep.id, objectIdToMerge: lose.id}})
  const found = await client.crm.contacts.basicApi.getById(lose.id)
  const direct = await client.crm.contacts.basicApi.getById(keep.id)
  assert.equal(found.id, direct.id)
})

test("a wrong token is told as such", async () => {
  const stranger = new Client({...options, accessToken: "pat-na1-wrong", numberOfApiCallRetries: 1})
  const error = await refused(() => stranger.crm.contacts.basicApi.getPage(1))
  assert.equal(error.code, 401)
})
