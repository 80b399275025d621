using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What an MTA-STS policy asks of senders (RFC 8461 section 5).</summary>
public enum StsMode
{
    None,
    Testing,
    Enforce,
}

/// <summary>An MTA-STS policy: which MX hosts a domain has, and that they present certificates of the WebPKI.</summary>
/// <remarks>
/// <code>
/// version: STSv1
/// mode: enforce          enforce, testing or none; letter case counts
/// max_age: 604800        seconds, 1 to 10 digits
/// mx: mail.example.com   one or more, unless mode is none; *. stands for exactly one label
///
/// line    name ":" blanks value blanks, ended by LF or CRLF (erratum 6253), the last one perhaps by neither
/// name    letter or digit, then at most 31 of these or _ - .
/// value   printable characters, UTF-8, blanks inside
/// </code>
/// <para>RFC 8461 sections 3.2 and 4.1. Of a repeated field other than mx the first counts, unknown fields are passed over, the
/// order is free. Read strictly: what other senders take for no policy must not defer mail here. Where the text leaves a choice:
/// empty lines are accepted, indented ones are not; the final dot of an mx is dropped; a name with underscores, U-labels, or
/// digits and dots alone (an IPv4 address) is no mx, and the policy none.</para>
/// </remarks>
/// <param name="Mode">What it asks for.</param>
/// <param name="MaxAge">As it is written; how long the policy counts is <see cref="Lifetime"/>.</param>
/// <param name="MxPatterns">Host names and <c>*.</c> patterns, lower case, without final dot, each once.</param>
public sealed record StsPolicy(StsMode Mode, TimeSpan MaxAge, ImmutableArray<string> MxPatterns)
{
    private const int MaxAgeDigits = 10;
    private const int MaxHostName = 253;
    private const int MaxLabel = 63;

    /// <summary>A policy that lives no longer would be gone before its next delivery.</summary>
    internal static readonly TimeSpan ShortestLifetime = TimeSpan.FromMinutes(5);

    internal static readonly TimeSpan LongestLifetime = TimeSpan.FromSeconds(31_557_600); // RFC 8461 section 3.2

    private static readonly SearchValues<char> Ipv4Characters = SearchValues.Create("0123456789.");

    /// <summary>For how long after it was fetched the policy counts: max_age within bounds.</summary>
    public TimeSpan Lifetime => MaxAge < ShortestLifetime ? ShortestLifetime : MaxAge > LongestLifetime ? LongestLifetime : MaxAge;

    /// <summary>True where a pattern admits this MX host (section 4.1). An address is no host name and never admitted.</summary>
    /// <param name="mxHost">A-labels in any letter case, with or without the final dot.</param>
    public bool Covers(string mxHost)
    {
        ArgumentNullException.ThrowIfNull(mxHost);
        var host = mxHost.EndsWith('.') ? mxHost.AsSpan(0, mxHost.Length - 1) : mxHost;
        foreach (var pattern in MxPatterns)
        {
            if (Covers(pattern, host))
                return true;
        }

        return false;
    }

    /// <summary>True where the pattern <c>*.example.com</c> or <c>mx.example.com</c> admits the host.</summary>
    internal static bool Covers(string pattern, ReadOnlySpan<char> host) =>
        pattern.StartsWith("*.", StringComparison.Ordinal)
            ? host.IndexOf('.') is var dot and > 0 && host[dot..].Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : host.Equals(pattern, StringComparison.OrdinalIgnoreCase);

    /// <param name="body">What was served.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(ReadOnlySpan<byte> body, [NotNullWhen(true)] out StsPolicy? policy, [NotNullWhen(false)] out string? reason)
    {
        policy = null;
        return Utf8.IsValid(body)
            ? TryParse(Encoding.UTF8.GetString(body), out policy, out reason)
            : Fail("the policy is not UTF-8", out reason);
    }

    /// <param name="text">What was served, decoded.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out StsPolicy? policy, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        policy = null;
        string? version = null, mode = null, maxAge = null;
        var patterns = new List<string>();
        foreach (var line in Lines(text))
        {
            if (!TrySplit(line, out var name, out var value))
                return Fail("a line of the policy is not name: value", out reason);
            switch (name)
            {
                case "version":
                    version ??= value;
                    break;
                case "mode":
                    mode ??= value;
                    break;
                case "max_age":
                    maxAge ??= value;
                    break;
                case "mx" when TryPattern(value, out var pattern):
                    patterns.Add(pattern);
                    break;
                case "mx":
                    return Fail("an mx line of the policy is no host name and no *. pattern", out reason);
            }
        }

        if (version != "STSv1")
            return Fail("the policy does not say version: STSv1", out reason);
        if (!StsModes.TryParse(mode, out var known))
            return Fail("the policy's mode is none of enforce, testing, none", out reason);
        if (maxAge is null || maxAge.Length > MaxAgeDigits || !long.TryParse(maxAge, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return Fail($"the policy's max_age is not a number of seconds of at most {MaxAgeDigits} digits", out reason);
        if (patterns.Count == 0 && known != StsMode.None)
            return Fail("the policy has no mx line", out reason);
        policy = new StsPolicy(known, TimeSpan.FromSeconds(seconds), [.. patterns.Distinct(StringComparer.Ordinal)]);
        reason = null;
        return true;
    }

    /// <summary>The lines of a served policy, without their ends and without empty ones, as RFC 8460 section 4.2 reports them.</summary>
    public static IEnumerable<string> Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            // CR belongs to the end of a line; behind the last LF there is no end of a line left.
            var line = i < lines.Length - 1 && lines[i].EndsWith('\r') ? lines[i][..^1] : lines[i];
            if (line.AsSpan().ContainsAnyExcept(" \t"))
                yield return line;
        }
    }

    /// <summary>The policy as it could be served.</summary>
    public string ToText()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"version: STSv1\nmode: {Mode.Name()}\nmax_age: {(long)MaxAge.TotalSeconds}\n");
        foreach (var pattern in MxPatterns)
            text.Append("mx: ").Append(pattern).Append('\n');
        return text.ToString();
    }

    public bool Equals(StsPolicy? other) =>
        other is not null && Mode == other.Mode && MaxAge == other.MaxAge && MxPatterns.AsSpan().SequenceEqual(other.MxPatterns.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Mode, MaxAge, MxPatterns.Length);

    private static bool TrySplit(string line, out string name, out string value)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        name = line[..Math.Max(colon, 0)];
        value = line[(colon + 1)..].Trim(' ', '\t');
        return StsRecord.IsFieldName(name) && value.Length > 0 && value.All(character => character is >= ' ' and not '\x7f');
    }

    private static bool TryPattern(string value, out string pattern)
    {
        pattern = (value.EndsWith('.') ? value[..^1] : value).ToLowerInvariant();
        var host = pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern;
        return host.Length is > 0 and <= MaxHostName && host.AsSpan().ContainsAnyExcept(Ipv4Characters) && host.Split('.').All(IsLabel);
    }

    // RFC 5321 section 4.1.2: sub-domain.
    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-'
        && label.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }
}

/// <summary>The names of the modes, as a policy has them.</summary>
public static class StsModes
{
    private static readonly StoredNames<StsMode> Names = new((StsMode.None, "none"), (StsMode.Testing, "testing"), (StsMode.Enforce, "enforce"));

    public static string Name(this StsMode mode) => Names.Of(mode);

    public static bool TryParse([NotNullWhen(true)] string? name, out StsMode mode) => Names.TryParse(name, out mode);
}
