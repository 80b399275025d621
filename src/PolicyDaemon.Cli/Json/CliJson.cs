using System.Text.Json.Serialization;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Json;

/// <summary>The documented schema of <c>--format json</c>: every root type that a command writes. Members are only ever added.</summary>
/// <remarks>policyctl(1), section JSON, names every member; JsonShapeTests holds it to that. Names are snake_case; times are ISO 8601 in UTC; what does not apply is null.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified,
    Converters = [typeof(UtcTimeConverter)],
    WriteIndented = true)]
[JsonSerializable(typeof(ChangeJson))]
[JsonSerializable(typeof(CheckJson))]
[JsonSerializable(typeof(DestinationJson))]
[JsonSerializable(typeof(DoctorJson))]
[JsonSerializable(typeof(IReadOnlyList<DestinationJson>))]
[JsonSerializable(typeof(AuditVerificationJson))]
[JsonSerializable(typeof(DiscoveredJson))]
[JsonSerializable(typeof(IReadOnlyList<DiscoveredJson>))]
[JsonSerializable(typeof(IntakeJson))]
[JsonSerializable(typeof(SurveyJson))]
[JsonSerializable(typeof(IReadOnlyList<PublishedProblemJson>))]
[JsonSerializable(typeof(BackupJson))]
[JsonSerializable(typeof(ExplainJson))]
[JsonSerializable(typeof(IReadOnlyList<WhoJson>))]
[JsonSerializable(typeof(FindingKindJson))]
[JsonSerializable(typeof(IReadOnlyList<FindingKindJson>))]
[JsonSerializable(typeof(InitJson))]
[JsonSerializable(typeof(MigrationJson))]
[JsonSerializable(typeof(PinReviewJson))]
[JsonSerializable(typeof(QueryJson))]
[JsonSerializable(typeof(StatusJson))]
[JsonSerializable(typeof(UpgradeJson))]
[JsonSerializable(typeof(VersionJson))]
[JsonSerializable(typeof(IReadOnlyList<AuditRowJson>))]
[JsonSerializable(typeof(IReadOnlyList<SetupResultJson>))]
[JsonSerializable(typeof(IReadOnlyList<ListedPinJson>))]
[JsonSerializable(typeof(IReadOnlyList<ProbeJson>))]
internal sealed partial class CliJson : JsonSerializerContext;
