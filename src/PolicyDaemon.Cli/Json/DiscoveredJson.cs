using System.Text.Json;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Cli.Json;

/// <summary>What discovery knows of a destination.</summary>
internal sealed record DiscoveredJson(
    string Key, string? Verdict, string? Row, string Why, bool Unknown, AnswerJson Answer, AnswerJson TlsrptAnswer, string? Mx,
    IReadOnlyList<DiscoveredHostJson> Hosts, DateTimeOffset? AskedAt, long? Ttl, DateTimeOffset? FailingSince, DateTimeOffset? Due,
    DateTimeOffset? ValidUntil, DateTimeOffset? Used, KeptPolicyJson? Policy, IReadOnlyList<RemarkJson> Remarks, IReadOnlyList<VerdictChangeJson> Changes,
    IReadOnlyList<DnsAnswerJson> DnsAnswers)
{
    /// <param name="state">The state.</param>
    /// <param name="level">Postfix's level: what "not found" amounts to.</param>
    /// <param name="answers">What DNS answered.</param>
    /// <param name="now">The time, UTC.</param>
    internal static DiscoveredJson From(DiscoveredState state, TlsLevel level, IReadOnlyList<DnsAnswer> answers, DateTimeOffset now)
    {
        var (memory, verdict) = (state.Memory, state.Verdict);
        return new DiscoveredJson(
            state.Key.Text, verdict?.Answer.Name(), verdict?.Row.Name(), state.Why, verdict is null or { IsUnknown: true }, AnswerJson.From(state.Answer),
            AnswerJson.From(state.TlsRptAnswer), verdict is null ? null : Kebab(verdict.Facts.Mx),
            [.. (verdict?.Facts.Hosts ?? []).Select(host => new DiscoveredHostJson(
                host.Name, host.Preference, Kebab(host.Class), verdict!.Policy?.Policy.Covers(host.Name), state.MailAt(host, level), host.Detail))],
            verdict?.Facts.At, verdict is null ? null : (long)verdict.Facts.Ttl.TotalSeconds, memory?.FailingSince, state.NextDue, verdict?.ValidUntil, memory?.Used,
            memory is null ? null : KeptPolicyJson.From(memory.Sts, now),
            [.. state.Remarks.Select(remark => new RemarkJson(remark.Kind.Name(), remark.Severity.Name(), remark.Detail, remark.Remedy))],
            [.. state.Changes.Select(VerdictChangeJson.Read)],
            [.. answers.Select(DnsAnswerJson.From)]);
    }

    internal static string Kebab<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}

/// <summary>An MX host as Postfix sees it.</summary>
internal sealed record DiscoveredHostJson(string Name, int Preference, string Tlsa, bool? InPolicy, string Mail, string? Detail);

/// <summary>A policy of MTA-STS that was fetched and is kept.</summary>
internal sealed record KeptPolicyJson(
    bool InForce, string Mode, string Id, long MaxAge, IReadOnlyList<string> Mx, DateTimeOffset Fetched, DateTimeOffset Expires, DateTimeOffset FetchDue,
    string? Problem, string Text)
{
    internal static KeptPolicyJson? From(StsMemory sts, DateTimeOffset now) => sts.Kept is not { } kept
        ? null
        : new(
            kept.IsInForce(now), DiscoveredJson.Kebab(kept.Policy.Mode), kept.Id, (long)kept.Policy.MaxAge.TotalSeconds, kept.Policy.MxPatterns, kept.Fetched,
            kept.Expires, sts.FetchDue, sts.Failure is { } failure ? $"{failure.Name()}: {sts.FailureDetail}" : sts.Problem, kept.Text);
}

/// <summary>What a person should read about a discovered destination.</summary>
internal sealed record RemarkJson(string Kind, string Severity, string Detail, string? Remedy);

/// <summary>A change of a verdict.</summary>
internal sealed record VerdictChangeJson(DateTimeOffset At, string? From, string? FromRow, string To, string ToRow)
{
    internal static VerdictChangeJson Read(StoredVerdictChange change) => new(
        DateTimeOffset.FromUnixTimeSeconds(change.At), change.FromAnswer, change.FromRow, change.ToAnswer, change.ToRow);
}

/// <summary>An answer of DNS.</summary>
internal sealed record DnsAnswerJson(
    string Name, string Type, string Outcome, IReadOnlyList<string> Data, string Dnssec, long Ttl, string? Resolver, DateTimeOffset At, string? Detail)
{
    internal static DnsAnswerJson From(DnsAnswer answer) => new(
        answer.Name, answer.Type.Text(), DiscoveredJson.Kebab(answer.Kind), answer.Data, DiscoveredJson.Kebab(answer.Security), (long)answer.Ttl.TotalSeconds,
        answer.Resolver, answer.At, answer.Detail);
}

/// <summary>What <c>discovery warm</c> and <c>discovery import</c> did.</summary>
internal sealed record IntakeJson(
    bool DryRun, long Taken, IReadOnlyList<string>? Keys, IReadOnlyDictionary<string, long>? Verdicts, long Known, long Expired, long NotEnforced, long Entered,
    long Outside, long Unreadable);

/// <summary>What discovery would change for mail.</summary>
internal sealed record SurveyJson(
    string Mode, string SecurityLevel, DateTimeOffset Since, long Destinations, long Entered, IReadOnlyDictionary<string, long> Verdicts,
    IReadOnlyList<WaitingJson> Waiting)
{
    internal static SurveyJson From(DiscoverySurvey survey, string mode, string level) => new(
        mode, level, survey.Since, survey.Destinations, survey.Entered, survey.Verdicts,
        [.. survey.Waiting.Select(waiting => new WaitingJson(waiting.Key.Text, waiting.Verdict, waiting.Why))]);
}

/// <summary>A destination whose mail would wait.</summary>
internal sealed record WaitingJson(string Key, string Verdict, string Why);

/// <summary>What a destination publishes and is broken.</summary>
internal sealed record PublishedProblemJson(string Key, string Kind, string Severity, DateTimeOffset Used, string Detail, string? Remedy);
