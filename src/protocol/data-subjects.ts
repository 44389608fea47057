/**
 * Categories of data subjects: the terms of DPV 2.2, module `entities_datasubject`, that say what people are to whoever has
 * their data. W3C Software and Document licence.
 */
export const DATA_SUBJECTS: ReadonlySet<string> = new Set([
  'Adult',
  'Applicant',
  'AsylumSeeker',
  'Child',
  'Citizen',
  'Client',
  'Consumer',
  'Customer',
  'Employee',
  'Immigrant',
  'JobApplicant',
  'Member',
  'NonCitizen',
  'Participant',
  'Patient',
  'Student',
  'Subscriber',
  'Tourist',
  'User',
  'Visitor',
  'VulnerableDataSubject',
])
