namespace PolicyDaemon.Store.Documents;

/// <summary>What an automatic change rests on, as JSON: the transitions with their rules, and what was known when they were decided.</summary>
internal sealed record EvidenceDocument(
    long At, TransitionDocument[] Transitions, string MxDnssec, string[] MxHosts, CertificateRunDocument[] CertificateRuns);
