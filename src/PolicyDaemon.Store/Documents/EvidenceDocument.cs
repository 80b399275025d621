using System.Text.Json;

namespace PolicyDaemon.Store.Documents;

/// <summary>The evidence of an automatic change of pins, for the audit log: the transitions with their rules, the MX records and the certificate runs at that time.</summary>
/// <remarks>In the documents of earlier versions the certificate runs stand under another name; nobody reads them back, people look them up.</remarks>
internal sealed record EvidenceDocument(
    long At, TransitionDocument[] Transitions, string MxDnssec, string[] MxHosts, CertificateRunDocument[] CertificateRuns)
{
    /// <summary>Reads the transitions from the evidence of an audit row; empty where the row has other evidence, or none.</summary>
    internal static TransitionDocument[] ReadTransitions(string? json)
    {
        try
        {
            return json is null ? [] : JsonSerializer.Deserialize(json, StoreJson.Default.EvidenceDocument)?.Transitions ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

/// <summary>A pin's change of state.</summary>
internal sealed record TransitionDocument(string Fingerprint, string? From, string? To, string? Strength, string Rule, string Reason);

/// <summary>The latest certificate run of an address.</summary>
internal sealed record CertificateRunDocument(
    string MxHost, string Target, string Algorithm, string Certificate, string PublicKey, long First, long Last, int Probes,
    long? TrustedSince);
