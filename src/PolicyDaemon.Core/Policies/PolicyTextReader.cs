using System.Buffers;
using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>What a policy text says.</summary>
/// <param name="Policy">Level and attributes; null where not even the level can be read.</param>
/// <param name="Fingerprints">The pins of <c>match</c> at level <c>fingerprint</c>, in their order, each once.</param>
/// <param name="Problems">Each part that Postfix would refuse; because of any of them it defers the mail (or drops the pin).</param>
/// <param name="Warnings">Each part that Postfix reads and that has no effect.</param>
public sealed record PolicyReading(
    TlsPolicy? Policy,
    ImmutableArray<Fingerprint> Fingerprints,
    ImmutableArray<PolicyProblem> Problems,
    ImmutableArray<PolicyProblem> Warnings);

/// <summary>A problem in the text of a policy.</summary>
/// <param name="Offset">The character at which the faulty part begins.</param>
/// <param name="Problem">The problem.</param>
public readonly record struct PolicyProblem(int Offset, Problem Problem);

/// <summary>Reads the text of a policy as Postfix does.</summary>
/// <remarks>
/// <code>
/// level [attr=value]...        separated by any run of comma, blank, TAB, CR, LF; no comments
/// { attr = value }             from Postfix 3.10: blanks around the equals sign and inside the value
/// </code>
/// Levels and attribute names in any letter case. See smtp/smtp_tls_policy.c, tls_policy_lookup_one, and util/split_nameval.c.
/// Stricter than Postfix in two places, where it would go on with less than was written: a malformed pin beside good ones
/// (Postfix skips it), and attributes at level <c>none</c> (Postfix ignores them).
/// </remarks>
public static class PolicyTextReader
{
    private static readonly PostfixVersion FirstWithBraces = new(3, 10);
    private static readonly SearchValues<char> Blanks = SearchValues.Create(" \t\r\n\v\f");
    private static readonly SearchValues<char> OtherBlanks = SearchValues.Create("\t\r\n\v\f");

    /// <summary>Reads a policy text.</summary>
    /// <param name="text">What follows the key in a table, or <c>OK </c> in a reply.</param>
    /// <param name="version">The Postfix whose grammar counts.</param>
    /// <param name="ofEntry">The levels of our own may stand there, which Postfix does not know.</param>
    public static PolicyReading Read(string text, PostfixVersion version, bool ofEntry = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new PolicyTokens(text, withBraces: version >= FirstWithBraces);
        var names = ofEntry ? TlsLevels.EntryNames : TlsLevels.Names;
        if (!tokens.TryNext(out var levelName))
            return Unreadable(0, new Problem("the policy is empty", $"begin with a level, one of {string.Join(", ", names)}"));
        if (!TlsLevels.TryParse(levelName.ToString(), out var level) || !(ofEntry || level.IsOfPostfix()))
            return Unreadable(tokens.Offset, new Problem(
                $"'{AttributeValues.Shown(levelName.ToString())}' is no TLS security level{(level.IsOfPostfix() ? Nearest.Suggestion(levelName.ToString(), names) : " of Postfix")}",
                $"write one of {string.Join(", ", names)}"));

        var reading = new Reading(level, version);
        while (tokens.TryNext(out var token))
            reading.Add(token, tokens.Offset);
        return reading.Result();
    }

    private static PolicyReading Unreadable(int offset, Problem problem) => new(null, [], [new(offset, problem)], []);

    /// <summary>One policy while it is read.</summary>
    private sealed class Reading(TlsLevel level, PostfixVersion version)
    {
        private readonly ImmutableArray<Fingerprint>.Builder fingerprints = ImmutableArray.CreateBuilder<Fingerprint>();
        private readonly ImmutableArray<PolicyProblem>.Builder problems = ImmutableArray.CreateBuilder<PolicyProblem>();
        private readonly ImmutableArray<PolicyProblem>.Builder warnings = ImmutableArray.CreateBuilder<PolicyProblem>();
        private readonly List<PolicyAttribute> seenAttributes = [];
        private HashSet<string>? seenPins;
        private TlsPolicy policy = new() { Level = level };

        internal PolicyReading Result()
        {
            if (policy.TlsRpt is { PolicyType.Length: 0 })
                Refuse(0, "policy_type is missing, and the other policy_ attributes need it", "add policy_type=sts or policy_type=no-policy-found");
            return new(policy, fingerprints.ToImmutable(), problems.ToImmutable(), warnings.ToImmutable());
        }

        internal void Add(ReadOnlySpan<char> token, int offset)
        {
            if (Split(token, out var name, out var value) is { } malformed)
                problems.Add(new(offset, malformed.At($"'{AttributeValues.Shown(token.ToString())}' is no attribute")));
            else if (level.MatchesFingerprints() && string.Equals(name, PolicyAttributes.MatchName, StringComparison.OrdinalIgnoreCase))
                AddPins(value, offset + token.Length - value.Length);
            else if (PolicyAttributes.TryFind(name, out var attribute) && attribute.Since <= version)
                AddAttribute(attribute, value, offset);
            else if (string.Equals(name, "policy_ttl", StringComparison.OrdinalIgnoreCase) && version >= FirstWithBraces)
                warnings.Add(new(offset, new Problem("policy_ttl has no effect in Postfix and is left out")));
            else if (attribute is null)
                Refuse(
                    offset, $"'{AttributeValues.Shown(name)}' is no attribute of a TLS policy",
                    $"known are {string.Join(", ", PolicyAttributes.All.Select(row => row.Name))}");
            else
                Refuse(offset, $"{attribute.Name} needs Postfix {attribute.Since} and this policy is for {version}", "remove it, or set postfix.version");
        }

        private void AddAttribute(PolicyAttribute attribute, string value, int offset)
        {
            var before = problems.Count;
            if (attribute.Name == PolicyAttributes.MatchName && PolicyRules.IsFingerprintAt(level, value) is { } fingerprint)
            {
                problems.Add(new(offset, fingerprint));
                return;
            }

            if (!attribute.LegalAt(level))
                problems.Add(new(offset, PolicyRules.NotLegal(attribute, level)));
            if (!seenAttributes.Contains(attribute))
                seenAttributes.Add(attribute);
            else if (attribute.Repeats == Repetition.Refused)
                Refuse(offset, $"{attribute.Name} is given more than once", "Postfix takes it once");
            var values = attribute.Separator is { } separator ? value.Split(separator, StringSplitOptions.RemoveEmptyEntries) : [value];
            if (value.Length == 0 || values.Length == 0)
                Refuse(offset, $"{attribute.Name} has no value");
            foreach (var one in values)
            {
                if (value.Length > 0 && attribute.Check(one, version) is { } problem)
                    problems.Add(new(offset, problem.At(attribute.Name)));
            }

            if (problems.Count > before)
                return;
            foreach (var one in values)
                policy = attribute.Add(policy, attribute.Fold(one));
        }

        private void AddPins(string value, int offset)
        {
            var any = false;
            var at = 0;
            foreach (var pin in value.Split(PolicyAttributes.FingerprintSeparator))
            {
                any |= pin.Length > 0;
                if (pin.Length > 0)
                    AddPin(pin, offset + at);
                at += pin.Length + 1;
            }

            if (!any)
                Refuse(offset, "match has no value", "write match= and a fingerprint");
        }

        private void AddPin(string pin, int offset)
        {
            if (!Fingerprint.TryParse(pin, out var fingerprint, out var reason))
                Refuse(offset, reason);
            else if ((seenPins ??= new(StringComparer.Ordinal)).Add(fingerprint.Hex))
                fingerprints.Add(fingerprint);
        }

        private Problem? Split(ReadOnlySpan<char> token, out string name, out string value)
        {
            name = value = "";
            var inside = token;
            if (version >= FirstWithBraces && token[0] == '{')
            {
                // util/extpar.c
                var close = token.LastIndexOf('}');
                if (close < 0 || Balance(token) != 0)
                    return new("a brace is not closed");
                if (close != token.Length - 1)
                    return new("text follows the closing brace");
                inside = token[1..^1].Trim();
            }

            var equals = inside.IndexOf('=');
            if (equals < 0)
                return new("the '=' is missing", "write name=value without blanks around the '='");
            var left = inside[..equals].TrimEnd();
            if (left.IsEmpty)
                return new("the name before '=' is missing");
            if (left.ContainsAny(Blanks))
                return new("the '=' is missing after the name");
            name = left.ToString();
            var right = inside[(equals + 1)..].Trim();
            value = right.ContainsAny(OtherBlanks) ? new string([.. right.ToArray().Select(c => OtherBlanks.Contains(c) ? ' ' : c)]) : right.ToString();
            return null;
        }

        private void Refuse(int offset, string reason, string advice = "") => problems.Add(new(offset, new Problem(reason, advice)));

        private static int Balance(ReadOnlySpan<char> token) => token.Count('{') - token.Count('}');
    }
}
