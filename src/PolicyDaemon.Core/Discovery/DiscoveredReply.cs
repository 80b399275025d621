using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Writes the answer of a verdict, through the formatter of all answers.</summary>
/// <remarks>
/// <code>
/// dane-only
/// dane
/// secure match=mx.example.com:.example.net servername=hostname
/// ... policy_type=sts policy_domain=example.com { policy_string = version: STSv1 }... mx_host_pattern=mx.example.com mx_host_pattern=*.example.net
/// </code>
/// <para>Postfix matches <c>.example.net</c> at any depth, where <c>*.example.net</c> stands for one label; with the attributes of the
/// map tlspolicy-tlsrpt it keeps to the patterns themselves (smtp_tls_enforce_sts_mx_patterns, 3.10.5 and later). These are given
/// whole: Postfix 3.10.0 to 3.10.5 ends with an error where policy_string or mx_host_pattern is missing. Nothing of them stands at
/// the DANE levels, which Postfix reports by itself, and policy_failure is never sent, as at some levels it does not stop mail.</para>
/// <para>A policy too long for an answer is narrowed to the patterns that cover a current MX host; the others decide about no mail.
/// What then still does not fit is a temporary error.</para>
/// </remarks>
public static class DiscoveredReply
{
    /// <summary>The answer to an unknown destination where its mail is to wait (<c>first_sight = temp</c>).</summary>
    public static readonly LookupAnswer Deferred = LookupAnswer.Temporary("what this destination publishes is not known yet (first_sight = temp)");

    /// <summary>The answer to a destination of which nothing is known. Where plain text is possible anyway Postfix may look for DANE itself.</summary>
    /// <param name="conditions">Postfix's level, and what counts.</param>
    /// <param name="defers">Mail waits.</param>
    public static LookupAnswer Unknown(DiscoverySettings conditions, bool defers)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        return defers ? Deferred : conditions.WhileUnknown == DiscoveredAnswer.Dane ? LookupAnswer.Found(TlsLevel.Dane.Name()) : LookupAnswer.NotFound;
    }

    /// <summary>The answers of both maps. That of tlspolicy fits tcp_table(5), which has no map names and asks for it, too.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <param name="remark">What a person should read of them; null where nothing.</param>
    public static (LookupAnswer Plain, LookupAnswer TlsRpt) Answers(DiscoveryVerdict verdict, PostfixSettings postfix, out DiscoveryRemark? remark)
    {
        var plain = Answer(verdict, postfix, MapName.TlsPolicy, text => PolicyText.TcpLineLength(text) <= AnswerLimits.TcpTableLine, out remark);
        var tlsRpt = Answer(verdict, postfix, MapName.TlsPolicyTlsRpt, null, out var other);
        remark ??= other;
        return (plain, tlsRpt);
    }

    /// <param name="verdict">The verdict.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <param name="map">In which dialect.</param>
    /// <param name="fits">Whether a text is short enough for the protocol; null: for socketmap.</param>
    /// <param name="remark">What a person should read of it; null where nothing.</param>
    public static LookupAnswer Answer(DiscoveryVerdict verdict, PostfixSettings postfix, MapName map, Func<string, bool>? fits, out DiscoveryRemark? remark)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        remark = null;
        switch (verdict)
        {
            case { Answer: DiscoveredAnswer.NotFound }:
                return LookupAnswer.NotFound;
            case { Answer: DiscoveredAnswer.Secure, Policy: { } policy }:
                var patterns = policy.Policy.MxPatterns;
                if (TryAnswer(verdict, policy, patterns, postfix, map, fits, out var answer))
                    return answer;
                ImmutableArray<string> narrowed =
                    [.. patterns.Where(pattern => verdict.Facts.Hosts.Any(host => StsPolicy.Covers(pattern, host.Name)))];
                if (TryAnswer(verdict, policy, narrowed, postfix, map, fits, out answer))
                    return answer;
                remark = new(
                    DiscoveryRemarkKind.AnswerTooLong, FindingSeverity.MailWaits,
                    $"mail to {verdict.Key} is deferred: its MTA-STS policy names {policy.Policy.MxPatterns.Length} hosts, and no answer can name those it needs",
                    $"policyctl check {Shell.Quote(verdict.Key.Text)}");
                return LookupAnswer.Temporary($"the MTA-STS policy of {verdict.Key} does not fit into an answer");
            default:
                return PolicyText.Answer(new Destination { Key = verdict.Key, Policy = new TlsPolicy { Level = verdict.Answer.Level(postfix.SecurityLevel) } }, postfix, map);
        }
    }

    /// <summary>The policy that a verdict amounts to, for a forecast; null where it is answered not found.</summary>
    public static TlsPolicy? Policy(DiscoveryVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict switch
        {
            { Answer: DiscoveredAnswer.NotFound } => null,
            { Answer: DiscoveredAnswer.Secure, Policy: { } policy } => Of(policy.Policy.MxPatterns),
            var answer => new TlsPolicy { Level = answer.Answer.Level(TlsLevel.None) },
        };
    }

    private static TlsPolicy Of(ImmutableArray<string> patterns) => new()
    {
        Level = TlsLevel.Secure,
        Match = [.. patterns.Select(pattern => pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[1..] : pattern)],
        ServerName = ServerNames.HostName,
    };

    private static bool TryAnswer(
        DiscoveryVerdict verdict, StsKept policy, ImmutableArray<string> patterns, PostfixSettings postfix, MapName map, Func<string, bool>? fits,
        out LookupAnswer answer)
    {
        answer = default;
        if (patterns.IsEmpty)
            return false;
        var entry = new Destination
        {
            Key = verdict.Key,
            Policy = Of(patterns) with
            {
                TlsRpt = map == MapName.TlsPolicyTlsRpt
                    ? new TlsRptAttributes("sts", verdict.Key.Host, PolicyStrings(policy, patterns), patterns, PolicyFailure: null)
                    : null,
            },
        };
        answer = PolicyText.Answer(entry, postfix, map);
        return answer.Kind == LookupAnswerKind.Found && (fits is null || fits(answer.Text));
    }

    /// <summary>The policy's lines as they were served, without those that an answer cannot hold; of its mx lines those that the answer names.</summary>
    private static ImmutableArray<string> PolicyStrings(StsKept policy, ImmutableArray<string> patterns)
    {
        var isWhole = patterns.Length == policy.Policy.MxPatterns.Length;
        var kept = isWhole ? [] : patterns.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. StsPolicy.Lines(policy.Text)
                .Select(line => line.Trim(' ', '\t'))
                .Where(line => AttributeValues.IsPlainInBraces(line) && (isWhole || IsNeeded(line, kept))),
        ];
    }

    private static bool IsNeeded(string line, HashSet<string> patterns)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return line[..colon] switch
        {
            "version" or "mode" or "max_age" => true,
            "mx" => patterns.Contains(line[(colon + 1)..].Trim(' ', '\t').TrimEnd('.').ToLowerInvariant()),
            _ => false,
        };
    }
}
