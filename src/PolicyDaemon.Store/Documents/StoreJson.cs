using System.Text.Json.Serialization;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Store.Documents;

/// <summary>Generated serializers: no reflection at run time, one spelling for ever.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DestinationDocument))]
[JsonSerializable(typeof(TlsRptDocument))]
[JsonSerializable(typeof(AcceptedStoreDocument))]
[JsonSerializable(typeof(SeenDocument[]))]
[JsonSerializable(typeof(ResolutionDocument))]
[JsonSerializable(typeof(StoredCertificate[]))]
[JsonSerializable(typeof(EvidenceDocument))]
[JsonSerializable(typeof(Dictionary<string, long>))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class StoreJson : JsonSerializerContext;
