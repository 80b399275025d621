using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using PolicyDaemon.Administration.Fetching;
using PolicyDaemon.Cli;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Auditing;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>policyctl(1) names every name of the JSON output with its type, and no other.</summary>
/// <remarks>A name that is gone here is gone for somebody's script: take none away, and change no type.</remarks>
public sealed class JsonShapeTests
{
    private static readonly Dictionary<Type, string> Titles = new()
    {
        [typeof(ChangeJson)] = "change",
        [typeof(ChangedKeyJson)] = "changed key",
        [typeof(AnswerJson)] = "answer",
        [typeof(DestinationJson)] = "destination",
        [typeof(PinJson)] = "pin",
        [typeof(PresentationJson)] = "presentation",
        [typeof(PinEvidence)] = "decision",
        [typeof(ListedPinJson)] = "listed pin",
        [typeof(PinReviewJson)] = "pin review",
        [typeof(ReviewedKeyJson)] = "reviewed key",
        [typeof(ProbeStateJson)] = "probe state",
        [typeof(AddressJson)] = "address",
        [typeof(CertificateJson)] = "certificate",
        [typeof(IntermediateJson)] = "intermediate",
        [typeof(ObservationJson)] = "observation",
        [typeof(StageJson)] = "stage",
        [typeof(CheckJson)] = "check report",
        [typeof(LevelJson)] = "level",
        [typeof(RefusalJson)] = "refusal",
        [typeof(ResolverStatus)] = "resolver",
        [typeof(DnsJson)] = "DNS",
        [typeof(MtaStsJson)] = "MTA-STS",
        [typeof(MxHostJson)] = "MX host",
        [typeof(TlsaJson)] = "TLSA record",
        [typeof(ProbeJson)] = "probe",
        [typeof(TransitionJson)] = "transition",
        [typeof(QueryJson)] = "query result",
        [typeof(ExplainJson)] = "explanation",
        [typeof(ExplainedKeyJson)] = "explained key",
        [typeof(DiscoveredJson)] = "discovered destination",
        [typeof(IntakeJson)] = "discovery intake",
        [typeof(DurationCount)] = "duration",
        [typeof(WaitingMailJson)] = "waiting mail",
        [typeof(CauseJson)] = "cause",
        [typeof(WhoJson)] = "entry behind",
        [typeof(DestinationMailJson)] = "mail that waits",
        [typeof(FindingKindJson)] = "kind of finding",
        [typeof(SurveyJson)] = "discovery survey",
        [typeof(WaitingJson)] = "waiting destination",
        [typeof(PublishedProblemJson)] = "published problem",
        [typeof(DiscoveredHostJson)] = "discovered host",
        [typeof(KeptPolicyJson)] = "kept policy",
        [typeof(RemarkJson)] = "remark",
        [typeof(VerdictChangeJson)] = "verdict change",
        [typeof(DnsAnswerJson)] = "DNS answer",
        [typeof(StatusJson)] = "status report",
        [typeof(NodeJson)] = "node",
        [typeof(StoreStatusJson)] = "store",
        [typeof(TemporaryEntryJson)] = "temporary entry",
        [typeof(FindingJson)] = "finding",
        [typeof(PresentedKeyJson)] = "presented key",
        [typeof(DaemonStatus)] = "daemon",
        [typeof(OpenFindingCounts)] = "finding counts",
        [typeof(DiscoveryStatus)] = "discovery",
        [typeof(SnapshotStatus)] = "snapshot",
        [typeof(LookupCounts)] = "lookup counts",
        [typeof(AnswerCount)] = "answer count",
        [typeof(AlertChannelStatus)] = "alert channel",
        [typeof(ConnectionCounts)] = "connection counts",
        [typeof(ProberStatus)] = "prober",
        [typeof(BrakeStatus)] = "brake",
        [typeof(AuditRowJson)] = "audit row",
        [typeof(AuditVerificationJson)] = "audit verification",
        [typeof(FetchEvidence)] = "accepted keys",
        [typeof(AcceptedPinEvidence)] = "accepted pin",
        [typeof(CertificateEvidence)] = "certificate evidence",
        [typeof(SetupResultJson)] = "setup result",
        [typeof(DoctorJson)] = "doctor report",
        [typeof(DoctorFindingJson)] = "doctor finding",
        [typeof(OwnKeyJson)] = "own key",
        [typeof(InitJson)] = "init result",
        [typeof(BackupJson)] = "backup result",
        [typeof(MigrationJson)] = "migration result",
        [typeof(UpgradeJson)] = "upgrade result",
        [typeof(VersionJson)] = "version",
    };

    private static readonly ManualPage Manual = ManualPage.Read("policyctl.1").Section("JSON");

    private static readonly List<JsonTypeInfo> Shapes = Reachable();

    [Fact]
    public void Every_shape_that_a_command_writes_is_described_and_no_other_is()
    {
        Assert.Equal(
            Shapes.Select(shape => shape.Type.Name).Order(StringComparer.Ordinal), Titles.Keys.Select(type => type.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Titles.Values.Append("Outcomes").Order(StringComparer.Ordinal), Manual.Subsections.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_name_of_a_shape_is_described_and_no_other_is() =>
        Assert.All(Shapes, shape => Assert.Equal(
            shape.Properties.Select(property => property.Name).Order(StringComparer.Ordinal),
            Manual.Subsection(Titles[shape.Type]).Items("Va").Order(StringComparer.Ordinal)));

    [Fact]
    public void The_description_of_a_name_begins_with_its_type_and_whether_it_may_be_null() =>
        Assert.All(Shapes.SelectMany(shape => shape.Properties.Select(property => (Shape: shape, Property: property))), name =>
        {
            var (shape, property) = name;
            var described = Regex.Match(Manual.Subsection(Titles[shape.Type]).Text, $@"^\.It Va {property.Name}\n(.*)$", RegexOptions.Multiline);
            var type = TypeName(property.PropertyType) + (MayBeNull(property) ? " or null" : "");
            Assert.True(
                Regex.IsMatch(described.Groups[1].Value, $"^{Regex.Escape(type)}(?! or null)([,;:]| |$)"),
                $"{Titles[shape.Type]}.{property.Name}: \"{described.Groups[1].Value}\" instead of \"{type}\"");
        });

    [Fact]
    public void Every_command_stands_in_the_list_of_what_it_writes() =>
        Assert.Equal(
            ManualPageTests.Leaves(PolicyCtl.Model()).Select(leaf => leaf.Path).Order(StringComparer.Ordinal),
            Regex.Matches(Manual.Text, @"^\.It Ic (.*)$", RegexOptions.Multiline)
                .SelectMany(item => item.Groups[1].Value.Split(" , ")).Order(StringComparer.Ordinal));

    /// <summary>The document of the status socket stands in policyd(8), where those look who ask it without policyctl.</summary>
    [Fact]
    public void The_document_of_the_status_socket_is_described()
    {
        var described = ManualPage.Read("policyd.8").Section("THE STATUS SOCKET").Items("Va");
        Assert.Equal(
            new[] { StatusDocumentJson.Default.StatusDocument.Properties, StatusDocumentJson.Default.LookupSeries.Properties }
                .SelectMany(members => members.Select(member => member.Name)).Order(StringComparer.Ordinal),
            described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_outcome_is_named()
    {
        var words = Regex.Split(Manual.Subsection("Outcomes").Text, @"[\s,.]+");
        Assert.All(Enum.GetValues<ProbeOutcome>(), outcome => Assert.Contains(outcome.Name(), words));
    }

    [Fact]
    public void Every_kind_of_finding_is_named()
    {
        var words = Regex.Split(Manual.Subsection("finding").Text, @"[\s,.]+");
        Assert.All(Enum.GetValues<FindingKind>(), kind => Assert.Contains(kind.Name(), words));
    }

    /// <summary>Every object that a command writes, or keeps in the audit log, and every object inside.</summary>
    private static List<JsonTypeInfo> Reachable()
    {
        var found = new Dictionary<Type, JsonTypeInfo>();
        foreach (var (context, type) in new (JsonSerializerContext, Type)[] { (CliJson.Default, typeof(CliJson)), (FetchEvidenceJson.Default, typeof(FetchEvidenceJson)) })
        {
            foreach (var root in type.GetProperties().Where(property => typeof(JsonTypeInfo).IsAssignableFrom(property.PropertyType)))
                Add((JsonTypeInfo)root.GetValue(context)!);
        }

        return [.. found.Values];

        void Add(JsonTypeInfo type)
        {
            if (type.Kind == JsonTypeInfoKind.Object)
                found.TryAdd(type.Type, type);
        }
    }

    private static string TypeName(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Titles.TryGetValue(type, out var title))
            return title;
        if (type == typeof(string))
            return "string";
        if (type == typeof(bool))
            return "boolean";
        if (type == typeof(int) || type == typeof(long) || type == typeof(double))
            return "number";
        if (type == typeof(DateTimeOffset))
            return "time";
        var element = type.GetGenericArguments()[^1];
        var many = element == typeof(string) || element == typeof(long) || element.IsGenericType ? Plural(TypeName(element)) : TypeName(element);
        return type.GetGenericArguments().Length == 1 ? $"array of {many}" : $"object of {many}";
    }

    private static string Plural(string name) =>
        name.Split(' ', 2) is [var first, var rest] ? $"{first}s {rest}" : name + "s";

    private static bool MayBeNull(JsonPropertyInfo property) =>
        Nullable.GetUnderlyingType(property.PropertyType) is not null || (!property.PropertyType.IsValueType && property.IsGetNullable);
}
