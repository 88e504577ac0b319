// The Salesforce sandbox through jsforce, unchanged.
import assert from "node:assert/strict"
import {test} from "node:test"
import jsforce from "jsforce"

const described = JSON.parse(process.env.SANDBOX).salesforce
const mark = `n${process.pid}`

const login = async () => {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: described.consumer_key,
    client_secret: described.consumer_secret,
  })
  const answer = await fetch(`${described.login_url}/services/oauth2/token`, {method: "POST", body: form})
  assert.equal(answer.status, 200)
  const token = await answer.json()
  return new jsforce.Connection({instanceUrl: token.instance_url, accessToken: token.access_token, version: "64.0"})
}
const org = await login()
const lead = (name, more = {}) => ({LastName: name, Company: `Works ${mark}`, ...more})
const refused = async (call) => {
  try {
    await call()
  } catch (error) {
    return error
  }
  assert.fail("the call was not refused")
}

test("identity and versions", async () => {
  const who = await org.identity()
  assert.match(who.user_id, /^005/)
  const limits = await org.limits()
  assert.ok(limits.DailyApiRequests.Max > 0)
  assert.ok(org.limitInfo.apiUsage.used > 0)
})

test("describe names fields and picklists", async () => {
  const described = await org.sobject("Lead").describe()
  assert.equal(described.name, "Lead")
  const status = described.fields.find((field) => field.name === "Status")
  assert.ok(status.picklistValues.length > 1)
  const all = await org.describeGlobal()
  assert.ok(all.sobjects.some((object) => object.name === "Task"))
})

test("create, retrieve, update, delete", async () => {
  const made = await org.sobject("Lead").create(lead("Moreau"))
  assert.equal(made.success, true)
  const read = await org.sobject("Lead").retrieve(made.id)
  assert.equal(read.LastName, "Moreau")
  await org.sobject("Lead").update({Id: made.id, Title: "Head of Sales"})
  assert.equal((await org.sobject("Lead").retrieve(made.id)).Title, "Head of Sales")
  await org.sobject("Lead").destroy(made.id)
  const gone = await refused(() => org.sobject("Lead").retrieve(made.id))
  assert.match(gone.errorCode ?? gone.name, /NOT_FOUND|ENTITY_IS_DELETED/)
})

test("a missing required field is named", async () => {
  const error = await refused(() => org.sobject("Lead").create({LastName: "Alone"}))
  assert.equal(error.errorCode ?? error.name, "REQUIRED_FIELD_MISSING")
  assert.match(error.message, /Company/)
})

test("queries: conditions, order, subset, count, paging", async () => {
  const names = Array.from({length: 5}, (_, at) => lead(`Q${at}-${mark}`))
  const made = await org.sobject("Lead").create(names)
  assert.ok(made.every((one) => one.success))
  const found = await org.sobject("Lead")
    .find({LastName: {$like: `Q%-${mark}`}}, "Id, LastName")
    .sort("-LastName").limit(3).execute()
  assert.deepEqual(found.map((one) => one.LastName), [4, 3, 2].map((at) => `Q${at}-${mark}`))
  const count = await org.query(`SELECT COUNT() FROM Lead WHERE LastName LIKE 'Q%-${mark}'`)
  assert.equal(count.totalSize, 5)
  const record = await org.query(`SELECT Id, Owner.Name FROM Lead WHERE LastName = 'Q0-${mark}'`)
  assert.ok(record.records[0].Owner.Name)
})

test("a query that is no SOQL is refused", async () => {
  const error = await refused(() => org.query("SELECT * FROM Lead"))
  assert.equal(error.errorCode ?? error.name, "MALFORMED_QUERY")
  const field = await refused(() => org.query("SELECT Shoe__c FROM Lead"))
  assert.equal(field.errorCode ?? field.name, "INVALID_FIELD")
})

test("collections: one bad record does not stop the others", async () => {
  const answers = await org.sobject("Lead").create([lead("Good"), {LastName: "Bad"}], {allOrNone: false})
  assert.deepEqual(answers.map((one) => one.success), [true, false])
  assert.equal(answers[1].errors[0].statusCode ?? answers[1].errors[0].errorCode, "REQUIRED_FIELD_MISSING")
})

test("upsert by an external id", async () => {
  const key = `7${Date.now()}`
  const first = await org.sobject("Lead").upsert(lead("Upserted", {HubSpot_Contact_Id__c: key}), "HubSpot_Contact_Id__c")
  assert.equal(first.success, true)
  const again = await org.sobject("Lead").upsert({HubSpot_Contact_Id__c: key, Title: "CFO"}, "HubSpot_Contact_Id__c")
  assert.equal(again.success, true)
  const found = await org.sobject("Lead").find({HubSpot_Contact_Id__c: key}, "Id, Title").execute()
  assert.equal(found.length, 1)
  assert.equal(found[0].Title, "CFO")
})

test("composite requests refer to each other", async () => {
  const answer = await org.request({
    method: "POST",
    url: "/composite",
    body: JSON.stringify({
      allOrNone: true,
      compositeRequest: [
        {method: "POST", url: "/services/data/v64.0/sobjects/Lead", referenceId: "made", body: lead("Composite")},
        {method: "POST", url: "/services/data/v64.0/sobjects/Task", referenceId: "task", body: {Subject: "Call", WhoId: "@{made.id}"}},
      ],
    }),
    headers: {"content-type": "application/json"},
  })
  assert.deepEqual(answer.compositeResponse.map((one) => one.httpStatusCode), [201, 201])
})

test("what was deleted is listed", async () => {
  const made = await org.sobject("Lead").create(lead("Deleted"))
  await org.sobject("Lead").destroy(made.id)
  const from = new Date(Date.now() - 3600e3)
  const list = await org.sobject("Lead").deleted(from, new Date(Date.now() + 120e3))
  assert.ok(list.deletedRecords.some((one) => one.id.startsWith(made.id.slice(0, 15))))
  const all = await org.query(`SELECT Id FROM Lead WHERE Id = '${made.id}'`, {scanAll: true})
  assert.equal(all.totalSize, 1)
})

test("an expired session is told as such", async () => {
  const stranger = new jsforce.Connection({instanceUrl: org.instanceUrl, accessToken: "00Dx!wrong", version: "64.0"})
  const error = await refused(() => stranger.query("SELECT Id FROM Lead LIMIT 1"))
  assert.equal(error.errorCode ?? error.name, "INVALID_SESSION_ID")
})

test("bulk 2.0: records in, records out", async () => {
  const job = org.bulk2.createJob({object: "Lead", operation: "insert"})
  await job.open()
  await job.uploadData([lead(`Bulk1-${mark}`), lead(`Bulk2-${mark}`), {LastName: "NoCompany"}])
  await job.close()
  await job.poll(100, 20_000)
  const results = await job.getAllResults()
  assert.equal(results.successfulResults.length, 2)
  assert.equal(results.failedResults.length, 1)
  assert.match(results.failedResults[0].sf__Error, /REQUIRED_FIELD_MISSING/)
  const stream = await org.bulk2.query(`SELECT Id, LastName FROM Lead WHERE LastName LIKE 'Bulk%-${mark}'`)
  const rows = await stream.toArray()
  assert.deepEqual(rows.map((row) => row.LastName).sort(), [`Bulk1-${mark}`, `Bulk2-${mark}`])
})
