using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>The TXT record that announces a domain's MTA-STS policy.</summary>
/// <remarks>
/// <code>
/// _mta-sts.example.com. TXT "v=STSv1; id=20160831085700Z;"
///
/// record     v=STSv1 1*(delimiter field) [delimiter]      letter case counts
/// delimiter  blanks ";" blanks
/// field      id=1*32(letter or digit), or name=value      first field of a name counts, unknown names are passed over
/// name       letter or digit, then at most 31 of these or _ - .
/// value      printable ASCII without blank, ";" and "="
/// </code>
/// RFC 8461 section 3.1. Its text wants <c>v=STSv1;</c> at the beginning, its grammar lets blanks stand before the semicolon
/// (erratum 6285): both are read. Two semicolons in a row, and blanks behind the last field without a semicolon, are in no text.
/// </remarks>
/// <param name="Id">Names the policy's instance; it changes when the policy does.</param>
public sealed record StsRecord(string Id)
{
    private const string Version = "v=STSv1";
    private const int MaxId = 32;
    private const int MaxName = 32;

    /// <summary>The question for the record of a domain.</summary>
    public static DnsQuestion Question(NextHop domain) => new($"_mta-sts.{domain.Host}", DnsType.Txt);

    /// <summary>Reads what <c>_mta-sts.DOMAIN</c> says.</summary>
    /// <param name="texts">Every TXT record at the name, the strings of each one joined.</param>
    /// <remarks>
    /// Records of other purposes are discarded before they are counted, <c>v=STSv1</c> without its semicolon among them: a stray one
    /// must not hide the domain's policy. Of those that are left there may be one.
    /// </remarks>
    public static StsRecordReading Read(IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var all = texts.ToList();
        var meant = all.FindAll(text => text.StartsWith(Version + ";", StringComparison.Ordinal));
        if (meant.Count == 0)
            meant = all.FindAll(HasSemicolonBehindBlanks);
        if (meant.Count == 0)
            return new StsRecordReading(StsRecordState.Absent, null, null);
        if (meant.Count > 1)
            return new StsRecordReading(StsRecordState.Broken, null, $"{meant.Count} _mta-sts records; with more than one there is no policy");
        return TryParse(meant[0], out var record, out var reason)
            ? new StsRecordReading(StsRecordState.Valid, record, null)
            : new StsRecordReading(StsRecordState.Broken, null, reason);
    }

    /// <param name="text">One TXT record.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out StsRecord? record, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        record = null;
        if (!text.StartsWith(Version, StringComparison.Ordinal))
            return Fail("the _mta-sts record does not begin with v=STSv1", out reason);
        string? id = null;
        for (var rest = text.AsSpan(Version.Length); !rest.IsEmpty;)
        {
            rest = rest.TrimStart(" \t");
            if (rest.IsEmpty)
                return Fail("the _mta-sts record ends with a blank", out reason);
            if (rest[0] != ';')
                return Fail("the fields of the _mta-sts record are not separated by semicolons", out reason);
            rest = rest[1..].TrimStart(" \t");
            if (rest.IsEmpty)
                break;
            var end = rest.IndexOfAny(" \t;");
            var field = end < 0 ? rest : rest[..end];
            if (!IsField(field, out var equals))
                return Fail("a field of the _mta-sts record is not name=value", out reason);
            if (id is null && field[..equals] is "id")
                id = field[(equals + 1)..].ToString();
            rest = rest[field.Length..];
        }

        if (id is null)
            return Fail("the _mta-sts record has no id", out reason);
        if (id.Length > MaxId || !id.All(char.IsAsciiLetterOrDigit))
            return Fail("the id in the _mta-sts record is not 1 to 32 letters and digits", out reason);
        record = new StsRecord(id);
        reason = null;
        return true;
    }

    private static bool HasSemicolonBehindBlanks(string text) =>
        text.StartsWith(Version, StringComparison.Ordinal) && text.AsSpan(Version.Length).TrimStart(" \t") is [';', ..];

    private static bool IsField(ReadOnlySpan<char> field, out int equals)
    {
        equals = field.IndexOf('=');
        if (!IsFieldName(field[..Math.Max(equals, 0)]))
            return false;
        var value = field[(equals + 1)..];
        return !value.IsEmpty && !value.ContainsAnyExceptInRange('!', '~') && !value.Contains('=');
    }

    /// <summary>The names of a record's and of a policy's unknown fields (sts-ext-name, sts-policy-ext-name).</summary>
    internal static bool IsFieldName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxName || !char.IsAsciiLetterOrDigit(name[0]))
            return false;
        foreach (var character in name)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('_' or '-' or '.'))
                return false;
        }

        return true;
    }

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }
}

/// <summary>What the TXT records at <c>_mta-sts</c> of a domain amount to.</summary>
public enum StsRecordState
{
    /// <summary>The domain has no MTA-STS record: it announces no policy.</summary>
    Absent,

    /// <summary>The domain has one MTA-STS record, which is right.</summary>
    Valid,

    /// <summary>Published and broken: more than one, or one that is wrong. Senders act as without a policy.</summary>
    Broken,
}

/// <param name="State">What the records amount to.</param>
/// <param name="Record">The record; only with <see cref="StsRecordState.Valid"/>.</param>
/// <param name="Problem">What is wrong; only with <see cref="StsRecordState.Broken"/>.</param>
public sealed record StsRecordReading(StsRecordState State, StsRecord? Record, string? Problem);
