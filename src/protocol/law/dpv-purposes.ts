// Written by scripts/generate-purposes.ts; a table, longer than other files. Do not edit.
//
// This document includes material copied from or derived from the Data Privacy Vocabulary (DPV) 2.2, module
// "purposes", https://w3id.org/dpv/2.2/dpv. Copyright (c) 2022-2025 World Wide Web Consortium and the
// contributors to the Data Privacy Vocabularies and Controls Community Group.
// https://www.w3.org/copyright/software-license-2023/
// Changes: only term, label and broader terms were taken; the root term and parents that are not purposes were left out.

/** The version of the vocabulary that the table was taken from; terms without a version always mean this one. */
export const DPV_VERSION = '2.2'

/** A purpose of the vocabulary: its label and the terms directly above it (`skos:broader`), all without `dpv:`. */
export interface DpvPurpose {
  readonly label: string
  readonly parents: readonly string[]
}

/** The purposes of DPV 2.2 by term. */
export const DPV_PURPOSES: Readonly<Record<string, DpvPurpose>> = {
  AcademicResearch: { label: 'Academic Research', parents: ['ResearchAndDevelopment'] },
  AccountManagement: { label: 'Account Management', parents: [] },
  Advertising: { label: 'Advertising', parents: ['Marketing'] },
  AgeVerification: { label: 'Age Verification', parents: ['Verification'] },
  CombatClimateChange: { label: 'Combat Climate Change', parents: ['PublicBenefit'] },
  CommercialPurpose: { label: 'Commercial Purpose', parents: [] },
  CommercialResearch: {
    label: 'Commercial Research',
    parents: ['CommercialPurpose', 'ResearchAndDevelopment'],
  },
  CommunicationForCustomerCare: {
    label: 'Communication for Customer Care',
    parents: ['CommunicationManagement', 'CustomerCare'],
  },
  CommunicationManagement: { label: 'Communication Management', parents: [] },
  CounterMoneyLaundering: { label: 'Counter Money Laundering', parents: ['FraudPreventionAndDetection'] },
  Counterterrorism: { label: 'Counterterrorism', parents: ['PublicBenefit'] },
  CustomerCare: { label: 'Customer Care', parents: ['CustomerManagement'] },
  CustomerClaimsManagement: { label: 'Customer Claims Management', parents: ['CustomerManagement'] },
  CustomerManagement: { label: 'Customer Management', parents: [] },
  CustomerOrderManagement: { label: 'Customer Order Management', parents: ['CustomerManagement'] },
  CustomerRelationshipManagement: {
    label: 'Customer Relationship Management',
    parents: ['CustomerManagement'],
  },
  CustomerSolvencyMonitoring: { label: 'Customer Solvency Monitoring', parents: ['CustomerManagement'] },
  DataAltruism: { label: 'Data Altruism', parents: ['PublicBenefit'] },
  DeliveryOfGoods: { label: 'Delivery of Goods', parents: ['RequestedServiceProvision'] },
  DirectMarketing: { label: 'Direct Marketing', parents: ['Marketing'] },
  DisputeManagement: { label: 'Dispute Management', parents: ['OrganisationGovernance'] },
  EnforceAccessControl: { label: 'Enforce Access Control', parents: ['EnforceSecurity'] },
  EnforceSecurity: { label: 'Enforce Security', parents: [] },
  EstablishContractualAgreement: { label: 'Establish Contractual Agreement', parents: [] },
  FraudPreventionAndDetection: {
    label: 'Fraud Prevention and Detection',
    parents: ['MisusePreventionAndDetection'],
  },
  FulfilmentOfContractualObligation: {
    label: 'Fulfilment of Contractual Obligation',
    parents: ['FulfilmentOfObligation'],
  },
  FulfilmentOfObligation: { label: 'Fulfilment of Obligation', parents: [] },
  HumanResourceManagement: { label: 'Human Resource Management', parents: [] },
  IdentityAuthentication: { label: 'Identity Authentication', parents: ['EnforceSecurity'] },
  IdentityVerification: { label: 'Identity Verification', parents: ['Verification'] },
  ImproveExistingProductsAndServices: {
    label: 'Improve Existing Products and Services',
    parents: ['OptimisationForController'],
  },
  ImproveHealthcare: { label: 'Improve Healthcare', parents: ['PublicBenefit'] },
  ImproveInternalCRMProcesses: {
    label: 'Improve Internal CRM Processes',
    parents: ['CustomerRelationshipManagement', 'OptimisationForController'],
  },
  ImprovePublicServices: { label: 'Improve Public Services', parents: ['PublicBenefit'] },
  ImproveTransportMobility: { label: 'Improve Transport and Mobility', parents: ['PublicBenefit'] },
  IncreaseServiceRobustness: { label: 'Increase Service Robustness', parents: ['OptimisationForController'] },
  InternalResourceOptimisation: {
    label: 'Internal Resource Optimisation',
    parents: ['OptimisationForController'],
  },
  LegalCompliance: { label: 'Legal Compliance', parents: ['FulfilmentOfObligation'] },
  MaintainFraudDatabase: { label: 'Maintain Fraud Database', parents: ['FraudPreventionAndDetection'] },
  Marketing: { label: 'Marketing', parents: [] },
  MemberPartnerManagement: { label: 'Members and Partners Management', parents: ['OrganisationGovernance'] },
  MisusePreventionAndDetection: { label: 'Misuse, Prevention and Detection', parents: ['EnforceSecurity'] },
  NonCommercialPurpose: { label: 'Non-commercial Purpose', parents: [] },
  NonCommercialResearch: {
    label: 'Non-Commercial Research',
    parents: ['NonCommercialPurpose', 'ResearchAndDevelopment'],
  },
  OptimisationForConsumer: { label: 'Optimisation for Consumer', parents: ['ServiceOptimisation'] },
  OptimisationForController: { label: 'Optimisation for Controller', parents: ['ServiceOptimisation'] },
  OptimiseUserInterface: { label: 'Optimise User Interface', parents: ['OptimisationForConsumer'] },
  OrganisationComplianceManagement: {
    label: 'Organisation Compliance Management',
    parents: ['OrganisationGovernance'],
  },
  OrganisationGovernance: { label: 'Organisation Governance', parents: [] },
  OrganisationRiskManagement: { label: 'Organisation Risk Management', parents: ['OrganisationGovernance'] },
  PaymentManagement: { label: 'Payment Management', parents: ['ServiceProvision'] },
  Personalisation: { label: 'Personalisation', parents: [] },
  PersonalisedAdvertising: { label: 'Personalised Advertising', parents: ['Advertising', 'Personalisation'] },
  PersonalisedBenefits: { label: 'Personalised Benefits', parents: ['ServicePersonalisation'] },
  PersonnelBehaviourMonitoring: { label: 'Personnel Behaviour Monitoring', parents: ['PersonnelMonitoring'] },
  PersonnelHiring: { label: 'Personnel Hiring', parents: ['PersonnelManagement'] },
  PersonnelManagement: { label: 'Personnel Management', parents: ['HumanResourceManagement'] },
  PersonnelMonitoring: { label: 'Personnel Monitoring', parents: ['PersonnelManagement'] },
  PersonnelOffboarding: { label: 'Personnel Offboarding', parents: ['PersonnelManagement'] },
  PersonnelOnboarding: { label: 'Personnel Onboarding', parents: ['PersonnelHiring'] },
  PersonnelPayment: { label: 'Personnel Payment', parents: ['PersonnelManagement'] },
  PersonnelPerformanceEvaluation: {
    label: 'Personnel Performance Evaluation',
    parents: ['PersonnelPerformanceManagement'],
  },
  PersonnelPerformanceManagement: {
    label: 'Personnel Performance Management',
    parents: ['PersonnelManagement', 'PersonnelMonitoring'],
  },
  PersonnelPerformanceMonitoring: {
    label: 'Personnel Performance Monitoring',
    parents: ['PersonnelMonitoring', 'PersonnelPerformanceManagement'],
  },
  PersonnelPerformancePrediction: {
    label: 'Personnel Performance Prediction',
    parents: ['PersonnelPerformanceManagement'],
  },
  PersonnelPromotionManagement: { label: 'Personnel Promotion Management', parents: ['PersonnelManagement'] },
  PersonnelTerminationManagement: {
    label: 'Personnel Termination Management',
    parents: ['PersonnelManagement'],
  },
  PersonnelWorkloadManagement: { label: 'Personnel Workload Management', parents: ['PersonnelManagement'] },
  PoliticalCampaign: { label: 'Political Campaign', parents: ['Advertising', 'Personalisation'] },
  ProtectionOfIPR: {
    label: 'Protection of Intellectual Property Rights',
    parents: ['FulfilmentOfObligation'],
  },
  ProtectionOfNationalSecurity: { label: 'Protection of National Security', parents: ['PublicBenefit'] },
  ProtectionOfPublicSecurity: { label: 'Protection of Public Security', parents: ['PublicBenefit'] },
  ProvideEventRecommendations: {
    label: 'Provide Event Recommendations',
    parents: ['ProvidePersonalisedRecommendations'],
  },
  ProvideOfficialStatistics: { label: 'Provide Official Statistics', parents: ['PublicBenefit'] },
  ProvidePersonalisedRecommendations: {
    label: 'Provide Personalised Recommendations',
    parents: ['ServicePersonalisation'],
  },
  ProvideProductRecommendations: {
    label: 'Provide Product Recommendations',
    parents: ['ProvidePersonalisedRecommendations'],
  },
  PublicBenefit: { label: 'Public Benefit', parents: [] },
  PublicPolicyMaking: { label: 'Public Policy Making', parents: ['PublicBenefit'] },
  PublicRelations: { label: 'Public Relations', parents: ['Marketing'] },
  RecordManagement: { label: 'Record Management', parents: [] },
  RecruitmentAdvertising: { label: 'Recruitment Advertising', parents: ['Advertising', 'PersonnelHiring'] },
  RecruitmentApplicantBackgroundCheck: {
    label: 'Recruitment Applicant Background Check',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentApplicantCriminalBackgroundCheck: {
    label: 'Recruitment Applicant Criminal Background Check',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentApplicantInformationAuthentication: {
    label: 'Recruitment Applicant Information Authentication',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentApplicantSelection: {
    label: 'Recruitment Applicant Selection',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentApplicationAnalysis: {
    label: 'Recruitment Application Analysis',
    parents: ['RecruitmentApplicationManagement'],
  },
  RecruitmentApplicationManagement: {
    label: 'Recruitment Application Management',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentApplicationScreening: {
    label: 'Recruitment Application Screening',
    parents: ['RecruitmentApplicationManagement'],
  },
  RecruitmentInterviewAnalysis: {
    label: 'Recruitment Interview Analysis',
    parents: ['RecruitmentInterviewManagement'],
  },
  RecruitmentInterviewAssessment: {
    label: 'Recruitment Interview Assessment',
    parents: ['RecruitmentInterviewManagement'],
  },
  RecruitmentInterviewManagement: {
    label: 'Recruitment Interview Management',
    parents: ['RecruitmentManagement'],
  },
  RecruitmentInterviewScheduling: {
    label: 'Recruitment Interview Scheduling',
    parents: ['RecruitmentInterviewManagement'],
  },
  RecruitmentManagement: { label: 'Recruitment Management', parents: ['PersonnelHiring'] },
  RecruitmentTargetedAdvertising: {
    label: 'Targeted Recruitment Advertising',
    parents: ['RecruitmentAdvertising', 'TargetedAdvertising'],
  },
  RepairImpairments: { label: 'Repair Impairments', parents: ['ServiceProvision'] },
  RequestedServiceProvision: { label: 'Requested Service Provision', parents: ['ServiceProvision'] },
  ResearchAndDevelopment: { label: 'Research and Development', parents: [] },
  RightsFulfilment: { label: 'Rights Fulfilment', parents: [] },
  ScientificResearch: { label: 'Scientific Research', parents: ['ResearchAndDevelopment'] },
  SearchFunctionalities: { label: 'Search Functionalities', parents: ['ServiceProvision'] },
  SellDataToThirdParties: { label: 'Sell Data to Third Parties', parents: ['SellProducts'] },
  SellInsightsFromData: { label: 'Sell Insights from Data', parents: ['SellProducts'] },
  SellProducts: { label: 'Sell Products', parents: ['ServiceProvision'] },
  SellProductsToDataSubject: { label: 'Sell Products to Data Subject', parents: ['SellProducts'] },
  ServiceOptimisation: { label: 'Service Optimisation', parents: ['ServiceProvision'] },
  ServicePersonalisation: {
    label: 'Service Personalisation',
    parents: ['Personalisation', 'ServiceProvision'],
  },
  ServiceProvision: { label: 'Service Provision', parents: [] },
  ServiceRegistration: { label: 'Service Registration', parents: ['ServiceProvision'] },
  ServiceUsageAnalytics: { label: 'Service Usage Analytics', parents: ['ServiceProvision'] },
  SocialMediaMarketing: { label: 'Social Media Marketing', parents: ['Marketing'] },
  TargetedAdvertising: { label: 'Targeted Advertising', parents: ['PersonalisedAdvertising'] },
  TechnicalServiceProvision: { label: 'Technical Service Provision', parents: ['ServiceProvision'] },
  UserInterfacePersonalisation: {
    label: 'User Interface Personalisation',
    parents: ['ServicePersonalisation'],
  },
  VendorManagement: { label: 'Vendor Management', parents: [] },
  VendorPayment: { label: 'Vendor Payment', parents: ['VendorManagement'] },
  VendorRecordsManagement: { label: 'Vendor Records Management', parents: ['VendorManagement'] },
  VendorSelectionAssessment: { label: 'Vendor Selection Assessment', parents: ['VendorManagement'] },
  Verification: { label: 'Verification', parents: ['EnforceSecurity'] },
}
