using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>Every attribute of a TLS policy, in the order in which it is written. A new attribute is a row here and a property of <see cref="TlsPolicy"/>.</summary>
/// <remarks>
/// <para>The syntax, legality and repetition are those of smtp/smtp_tls_policy.c; see postconf(5), smtp_tls_policy_maps.
/// An attribute that Postfix does not know, or not at this level, defers the mail, so every row names its release.</para>
/// <para>At <c>fingerprint</c> the attribute <c>match</c> carries the pins; they are not a property of the policy and
/// <see cref="PolicyText"/> writes them. The row below is the other <c>match</c>, that of peer names.</para>
/// </remarks>
public static class PolicyAttributes
{
    /// <summary>The name of the attribute that carries pins or peer names.</summary>
    internal const string MatchName = "match";

    /// <summary>Joins pins; peer names are joined by a colon.</summary>
    internal const char FingerprintSeparator = '|';

    private static readonly PostfixVersion V23 = new(2, 3);
    private static readonly PostfixVersion V26 = new(2, 6);
    private static readonly PostfixVersion V211 = new(2, 11);
    private static readonly PostfixVersion V34 = new(3, 4);
    private static readonly PostfixVersion V36 = new(3, 6);
    private static readonly PostfixVersion V39 = new(3, 9);
    private static readonly PostfixVersion V310 = new(3, 10);

    public static ImmutableArray<PolicyAttribute> All { get; } =
    [
        new(MatchName, V23, TlsLevels.MatchesNames)
        {
            Repeats = Repetition.AddsUp,
            Separator = ':',
            Get = policy => policy.Match,
            Add = (policy, value) => policy with { Match = policy.Match.AddRange(value.Split(':', StringSplitOptions.RemoveEmptyEntries)) },
            Check = AttributeValues.PeerName,
            Fold = AttributeValues.FoldPeerName,
            Change = ValueChange.IsCompared,
        },
        new("ciphers", V23, TlsLevels.UsesTls)
        {
            Get = policy => One(policy.Ciphers),
            Add = (policy, value) => policy with { Ciphers = value },
            Check = AttributeValues.CipherGrade,
            Fold = AttributeValues.FoldWord,
            Change = ValueChange.IsCompared,
        },
        new("protocols", V23, TlsLevels.UsesTls)
        {
            Get = policy => One(policy.Protocols),
            Add = (policy, value) => policy with { Protocols = value },
            Check = TlsProtocols.Check,
            Change = ValueChange.IsCompared,
        },
        new("exclude", V26, TlsLevels.UsesTls)
        {
            Get = policy => One(policy.Exclude),
            Add = (policy, value) => policy with { Exclude = value },
            Check = AttributeValues.CipherExclusion,
            Change = ValueChange.IsCompared,
        },
        new("servername", V34, TlsLevels.UsesTls)
        {
            Get = policy => One(policy.ServerName),
            Add = (policy, value) => policy with { ServerName = value },
            Check = AttributeValues.ServerName,
            Fold = AttributeValues.FoldHostName,
            Change = ValueChange.IsHarmless,
        },
        new("tafile", V211, TlsLevels.MatchesNames)
        {
            Repeats = Repetition.AddsUp,
            Get = policy => policy.TaFiles,
            Add = (policy, value) => policy with { TaFiles = policy.TaFiles.Add(value) },
            Check = AttributeValues.AbsolutePath,
            Change = ValueChange.IsCompared,
        },

        // Named in the manual for 3.4, but 3.4.0 to 3.4.13 and 3.5.0 to 3.5.3 refuse it as unknown and defer the mail.
        // The configured version has no patch level, so the first release that is safe as a whole counts.
        new("connection_reuse", V36, TlsLevels.UsesTls)
        {
            Repeats = Repetition.LastWins,
            IsFlag = true,
            Get = policy => YesNo(policy.ConnectionReuse),
            Add = (policy, value) => policy with { ConnectionReuse = IsYes(value) },
            Check = AttributeValues.YesOrNo,
            Fold = AttributeValues.FoldWord,
            Change = ValueChange.IsHarmless,
        },
        new("enable_rpk", V39, TlsLevels.UsesTls)
        {
            Repeats = Repetition.LastWins,
            IsFlag = true,
            Get = policy => YesNo(policy.EnableRpk),
            Add = (policy, value) => policy with { EnableRpk = IsYes(value) },
            Check = AttributeValues.YesOrNo,
            Fold = AttributeValues.FoldWord,
            Change = ValueChange.IsHarmless,
        },
        new("policy_type", V310, TlsLevels.UsesTls)
        {
            TlsRptOnly = true,
            Get = policy => One(policy.TlsRpt?.PolicyType),
            Add = (policy, value) => policy with { TlsRpt = TlsRpt(policy) with { PolicyType = value } },
            Check = AttributeValues.PolicyType,
            Fold = AttributeValues.FoldWord,
            Change = ValueChange.IsCompared,
        },
        new("policy_domain", V310, TlsLevels.UsesTls)
        {
            TlsRptOnly = true,
            Get = policy => One(policy.TlsRpt?.PolicyDomain),
            Add = (policy, value) => policy with { TlsRpt = TlsRpt(policy) with { PolicyDomain = value } },
            Check = AttributeValues.HostName,
            Fold = AttributeValues.FoldHostName,
            Change = ValueChange.IsHarmless,
        },
        new("policy_string", V310, TlsLevels.UsesTls)
        {
            TlsRptOnly = true,
            Braced = true,
            Repeats = Repetition.AddsUp,
            Get = policy => policy.TlsRpt?.PolicyStrings ?? [],
            Add = (policy, value) => policy with { TlsRpt = TlsRpt(policy) with { PolicyStrings = TlsRpt(policy).PolicyStrings.Add(value) } },
            Check = AttributeValues.PolicyString,
            Change = ValueChange.IsHarmless,
        },
        new("mx_host_pattern", V310, TlsLevels.UsesTls)
        {
            TlsRptOnly = true,
            Repeats = Repetition.AddsUp,
            Get = policy => policy.TlsRpt?.MxHostPatterns ?? [],
            Add = (policy, value) => policy with { TlsRpt = TlsRpt(policy) with { MxHostPatterns = TlsRpt(policy).MxHostPatterns.Add(value) } },
            Check = AttributeValues.MxHostPattern,
            Fold = AttributeValues.FoldMxHostPattern,
            Change = ValueChange.IsCompared,
        },
        new("policy_failure", V310, TlsLevels.UsesTls)
        {
            TlsRptOnly = true,
            Get = policy => One(policy.TlsRpt?.PolicyFailure),
            Add = (policy, value) => policy with { TlsRpt = TlsRpt(policy) with { PolicyFailure = value } },
            Check = AttributeValues.PolicyFailure,
            Fold = AttributeValues.FoldWord,
            Change = ValueChange.IsCompared,
        },
    ];

    /// <summary>Finds an attribute by its name, in any letter case.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out PolicyAttribute? attribute)
    {
        foreach (var row in All)
        {
            if (string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                attribute = row;
                return true;
            }
        }

        attribute = null;
        return false;
    }

    /// <summary>The policy with every value in the form in which it is stored and served.</summary>
    /// <remarks>Only legal values change; an illegal one stays as it was written, for the message about it.</remarks>
    public static TlsPolicy Canonical(TlsPolicy policy)
    {
        var canonical = new TlsPolicy { Level = policy.Level };
        foreach (var row in All)
        {
            foreach (var value in row.Get(policy))
                canonical = row.Add(canonical, row.Check(value, PostfixVersion.Newest) is null ? row.Fold(value) : value);
        }

        return canonical;
    }

    private static ImmutableArray<string> One(string? value) => value is null ? [] : [value];

    private static ImmutableArray<string> YesNo(bool? value) => value switch
    {
        true => [PolicyAttribute.Yes],
        false => [PolicyAttribute.No],
        null => [],
    };

    private static bool IsYes(string value) => string.Equals(value, PolicyAttribute.Yes, StringComparison.OrdinalIgnoreCase);

    private static TlsRptAttributes TlsRpt(TlsPolicy policy) => policy.TlsRpt ?? new("", null, [], [], null);
}
