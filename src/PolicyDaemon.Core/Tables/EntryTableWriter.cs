using System.Text;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>Writes entries with all that a person may say of them: what <c>export --full</c> prints, <c>edit</c> shows and <c>apply</c> reads.</summary>
/// <remarks>The syntax of a Postfix policy table with the attributes of <see cref="EntryAttributes"/>. Pins that no person decides about, the
/// candidates and what was retired, are comments: they are the prober's, and stay as they are.</remarks>
public static class EntryTableWriter
{
    private const int KeyColumn = 40;

    // Longer rows are broken before each attribute, so that a fingerprint stands in a line of its own.
    private const int Widest = 100;

    /// <summary>Writes every entry, in the order of their keys.</summary>
    /// <returns>How many.</returns>
    public static int Write(TextWriter output, IEnumerable<Destination> entries)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(entries);
        output.Write("# Entries of PolicyDaemon. Read by: policyctl apply FILE. Postfix does not read them; for Postfix: policyctl export.\n");
        output.Write("# DESTINATION LEVEL [ATTRIBUTE=VALUE]... as in smtp_tls_policy_maps, and of our own: ");
        output.Write(string.Join(", ", EntryAttributes.All.Select(attribute => attribute.Name)) + ".\n");
        var count = 0;
        foreach (var entry in entries.OrderBy(entry => entry.Key.Text, StringComparer.Ordinal))
        {
            output.Write(Row(entry));
            count++;
        }

        return count;
    }

    /// <summary>The row of one entry, with a line end, and what is only remarked of it.</summary>
    public static string Row(Destination entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var row = new StringBuilder();
        if (entry.Key.ToDisplayString() is var shown && shown != entry.Key.Text)
            row.Append("# ").Append(shown).Append('\n');
        var attributes = Attributes(entry).ToList();
        var head = entry.Key.Text.PadRight(KeyColumn) + ' ' + entry.Policy.Level.Name();
        var isShort = head.Length + attributes.Sum(attribute => attribute.Length + 1) <= Widest;
        row.Append(head);
        foreach (var attribute in attributes)
            row.Append(isShort ? " " : "\n    ").Append(attribute);
        row.Append('\n');
        foreach (var pin in entry.Pins.Where(pin => !EntryAttributes.IsSaid(pin)))
            row.Append("#   ").Append(pin.State.Name()).Append(' ').Append(pin.Fingerprint.Hex).Append(' ').Append(pin.Subject.Name()).Append('\n');
        return row.ToString();
    }

    private static IEnumerable<string> Attributes(Destination entry)
    {
        if (entry.Policy.Level.MatchesFingerprints())
        {
            foreach (var pin in entry.Pins.Where(pin => pin.IsServed))
                yield return $"{PolicyAttributes.MatchName}={pin.Fingerprint.Hex}";
        }

        foreach (var attribute in Attributes(entry.Policy))
            yield return attribute;

        foreach (var attribute in EntryAttributes.All)
        {
            foreach (var value in attribute.Get(entry))
                yield return attribute.IsText ? Text(attribute.Name, value) : $"{attribute.Name}={value}";
        }
    }

    /// <summary>The attributes of a policy as they stand in a row.</summary>
    internal static IEnumerable<string> Attributes(TlsPolicy policy)
    {
        foreach (var attribute in PolicyAttributes.All)
        {
            var values = attribute.Get(policy);
            foreach (var value in attribute.Separator is { } separator && !values.IsEmpty ? [string.Join(separator, values)] : values)
                yield return attribute.Braced ? $"{{ {attribute.Name} = {value} }}" : $"{attribute.Name}={value}";
        }
    }

    private static string Text(string name, string value)
    {
        var escaped = EntryText.Escape(value);
        return escaped.Length > 0 && !escaped.AsSpan().ContainsAny(" ,{}") ? $"{name}={escaped}" : $"{{ {name} = {escaped} }}";
    }
}
