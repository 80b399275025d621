using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PolicyDaemon.Core.Discovery;

/// <summary>An MTA-STS policy.</summary>
/// <remarks>
/// <code>
/// version: STSv1
/// mode: enforce          enforce, testing or none
/// max_age: 604800        seconds, at most 31557600
/// mx: mail.example.com   one or more, unless mode is none; *. stands for exactly one label
/// </code>
/// Lines end with LF or CRLF. Of a repeated field other than mx the first counts; unknown fields are ignored
/// (RFC 8461 sections 3.2 and 4.1).
/// </remarks>
public sealed record StsPolicy(StsMode Mode, TimeSpan MaxAge, ImmutableArray<string> MxPatterns)
{
    private const int MaxAgeSeconds = 31_557_600; // RFC 8461 section 3.2
    private const int MaxPatterns = 200;

    /// <summary>True where a pattern admits this MX host.</summary>
    public bool Covers(string mxHost)
    {
        ArgumentNullException.ThrowIfNull(mxHost);
        return MxPatterns.Any(pattern => pattern.StartsWith("*.", StringComparison.Ordinal)
            ? mxHost.IndexOf('.', StringComparison.Ordinal) is var dot and > 0
                && mxHost.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : pattern.Equals(mxHost, StringComparison.OrdinalIgnoreCase));
    }

    /// <param name="text">The body that was served.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out StsPolicy? policy, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        policy = null;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var patterns = ImmutableArray.CreateBuilder<string>();
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Trim().Length > 0))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                return Fail("a line of the policy has no colon", out reason);
            var (name, value) = (line[..colon].Trim(), line[(colon + 1)..].Trim());
            if (name != "mx")
                fields.TryAdd(name, value);
            else if (!IsPattern(value))
                return Fail("an mx line of the policy is no host name and no *. pattern", out reason);
            else if (patterns.Count < MaxPatterns)
                patterns.Add(value.TrimEnd('.').ToLowerInvariant());
        }

        if (fields.GetValueOrDefault("version") != "STSv1")
            return Fail("the policy does not say version: STSv1", out reason);
        if (!StsNames.TryParse(fields.GetValueOrDefault("mode") ?? "", out var mode))
            return Fail("the policy's mode is none of enforce, testing, none", out reason);
        if (!int.TryParse(fields.GetValueOrDefault("max_age"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > MaxAgeSeconds)
            return Fail($"the policy's max_age is not a number of seconds up to {MaxAgeSeconds}", out reason);
        if (patterns.Count == 0 && mode != StsMode.None)
            return Fail("the policy has no mx line", out reason);
        policy = new StsPolicy(mode, TimeSpan.FromSeconds(seconds), patterns.ToImmutable());
        reason = null;
        return true;
    }

    public bool Equals(StsPolicy? other) =>
        other is not null && Mode == other.Mode && MaxAge == other.MaxAge && MxPatterns.AsSpan().SequenceEqual(other.MxPatterns.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Mode, MaxAge, MxPatterns.Length);

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }

    private static bool IsPattern(string value)
    {
        var host = value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value;
        return host.Length is > 0 and <= 253
            && host.TrimEnd('.').Split('.').All(label => label.Length is > 0 and <= 63
                && label.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'));
    }
}
