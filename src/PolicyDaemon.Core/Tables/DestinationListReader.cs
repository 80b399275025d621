using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Tables;

/// <summary>Reads destinations out of a list, or out of Postfix's log: what mail was sent to.</summary>
/// <remarks>
/// <code>
/// example.com                                                 a list: the first word of the line
/// someone@example.com                                         of an address the domain
/// # comment
/// ... postfix/smtp[123]: 4bQ: to=&lt;someone@example.com&gt;, relay=...   a log: the recipient's domain, as smtp(8) writes it
/// ... anything else of a log                                  passed over
/// </code>
/// Behind a relayhost or a transport the next hop is another one than the recipient's domain; the log does not name it.
/// </remarks>
public static class DestinationListReader
{
    private const string Client = "/smtp[";
    private const string Recipient = ": to=<";

    // A line of a log has its time, host and program; a list that somebody wrote has a word, perhaps with remarks behind it.
    private const string Program = "]: ";

    /// <summary>The destinations in the order of the file, each as often as it stands there, and the lines that name none.</summary>
    public static IEnumerable<ListedDestination> Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var lines = new PhysicalLineReader(stream);
        foreach (var line in lines.ReadAll())
        {
            if (lines.NulLine > 0)
            {
                yield return new(line.Number, null, new Problem("it has a NUL character, so that this is no text", "name a list of domains, or a mail log"));
                yield break;
            }

            if (line.Fault is { } fault)
                yield return new(line.Number, null, fault);
            else if (Name(line.Text) is { } name)
                yield return Parse(line.Number, name);
        }
    }

    private static ListedDestination Parse(int number, string name) => NextHop.TryParse(name, out var key, out var reason)
        ? new(number, key, null)
        : new(number, null, new Problem(reason));

    private static string? Name(string line)
    {
        if (line.Contains(Program, StringComparison.Ordinal))
            return line.Contains(Client, StringComparison.Ordinal) ? OfRecipient(line) : null;
        var text = line.AsSpan();
        if (text.IndexOf('#') is var comment and >= 0)
            text = text[..comment];
        text = text.Trim();
        if (text.IndexOfAny(" \t,;") is var end and >= 0)
            text = text[..end];
        return text.IsEmpty ? null : Domain(text);
    }

    private static string? OfRecipient(string line)
    {
        var start = line.IndexOf(Recipient, StringComparison.Ordinal);
        if (start < 0)
            return null;
        var address = line.AsSpan(start + Recipient.Length);
        var end = address.IndexOf('>');
        return end < 0 || !address[..end].Contains('@') ? null : Domain(address[..end]);
    }

    private static string Domain(ReadOnlySpan<char> address) => address[(address.LastIndexOf('@') + 1)..].ToString();
}

/// <param name="Line">The number of the line, from 1.</param>
/// <param name="Key">The destination; null where the line names none.</param>
/// <param name="Problem">Why not; null where it does.</param>
public readonly record struct ListedDestination(int Line, NextHop? Key, Problem? Problem);
