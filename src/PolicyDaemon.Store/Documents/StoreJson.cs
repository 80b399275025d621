using System.Text.Json.Serialization;

namespace PolicyDaemon.Store.Documents;

/// <summary>The JSON serializers of the store, generated at build time: no reflection at run time, one spelling of each name.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AcceptedStoreDocument))]
[JsonSerializable(typeof(EvidenceDocument))]
[JsonSerializable(typeof(PresentedKeyDocument[]))]
[JsonSerializable(typeof(LastDialogueDocument))]
[JsonSerializable(typeof(ResolutionDocument))]
[JsonSerializable(typeof(StoredCertificate[]))]
[JsonSerializable(typeof(Dictionary<string, long>))]
[JsonSerializable(typeof(long[]))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class StoreJson : JsonSerializerContext;

/// <summary>The evidence of an audit row that accepts a replaced store: the identity of the store that was loaded before.</summary>
/// <param name="After">True where what followed the row is given up, by whoever had loaded it: the row itself is in this log.</param>
internal sealed record AcceptedStoreDocument(string StoreId, long Sequence, string Hash, bool? After = null);

/// <summary>A key that an MX host presented, as a finding keeps it.</summary>
internal sealed record PresentedKeyDocument(string MxHost, string Target, string PublicKey, string Certificate, long Since);

/// <summary>The dialogue of the last attempt at a target.</summary>
/// <param name="At">When that was: a program that does not know of this leaves it as it is, and it is then of an earlier attempt.</param>
internal sealed record LastDialogueDocument(
    long At, string Stage, long? ReplyCode = null, string? AfterHandshake = null, string? Negotiated = null, string? TlsVersion = null, bool? SpeaksTls12 = null,
    string? BehindInjection = null);

/// <summary>A certificate in an observation; the certificate itself is stored once, under its fingerprint.</summary>
/// <param name="CertificateFingerprint">SHA-256 of the whole certificate.</param>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="ChainDetail">Why the chain is not trusted; null where it is.</param>
/// <param name="TlsVersion">The protocol's version.</param>
/// <param name="Cipher">The cipher suite.</param>
public sealed record StoredCertificate(
    string CertificateFingerprint, string Algorithm, string Chain, string? ChainDetail, string TlsVersion, string Cipher);
