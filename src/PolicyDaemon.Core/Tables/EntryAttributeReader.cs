using System.Collections.Immutable;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>Takes the attributes of <see cref="EntryAttributes"/> out of a row's policy, which is then as Postfix would read it.</summary>
internal sealed class EntryAttributeReader
{
    internal static readonly EntryAttributeReader None = new();

    private readonly List<(EntryAttribute Attribute, string Value, int Offset)> taken = [];

    private EntryAttributeReader()
    {
    }

    /// <summary>The problems of attributes that cannot be read.</summary>
    internal ImmutableArray<PolicyProblem> Problems { get; private set; } = [];

    /// <param name="policy">The row's policy; what is taken becomes blanks, so that places in it stay what they were.</param>
    internal static EntryAttributeReader Take(ref string policy)
    {
        var reader = new EntryAttributeReader();
        var rest = policy.ToCharArray();
        var tokens = new PolicyTokens(policy, withBraces: true);
        tokens.TryNext(out _);
        while (tokens.TryNext(out var token))
        {
            var isBraced = token[0] == '{' && token[^1] == '}';
            var inside = isBraced ? token[1..^1].Trim() : token;
            var equals = inside.IndexOf('=');
            if (equals <= 0 || Find(inside[..equals].Trim()) is not { } attribute)
                continue;
            reader.Add(attribute, inside[(equals + 1)..].Trim().ToString(), tokens.Offset);
            rest.AsSpan(tokens.Offset, token.Length).Fill(' ');
        }

        policy = new string(rest);
        return reader;
    }

    /// <summary>The row with what its own attributes say.</summary>
    internal Destination Apply(Destination row, DateTimeOffset since, out PolicyProblem? problem)
    {
        problem = null;
        // In the order of their rows, so that it does not matter in which they are written.
        foreach (var (attribute, text, offset) in EntryAttributes.All.SelectMany(attribute => taken.Where(one => one.Attribute == attribute)))
        {
            foreach (var value in attribute.Separator is { } separator ? text.Split(separator, StringSplitOptions.RemoveEmptyEntries) : [text])
            {
                var (next, why) = attribute.Add(row, value, since);
                if (next is null)
                {
                    problem = new PolicyProblem(offset, new Problem($"{attribute.Name}: {why}"));
                    return row;
                }

                row = next;
            }
        }

        return row;
    }

    private void Add(EntryAttribute attribute, string value, int offset)
    {
        if (!attribute.AddsUp && taken.Exists(one => one.Attribute == attribute))
            Refuse("it is given twice");
        else if (attribute.IsText && EntryText.Unescape(value) is { } text)
            taken.Add((attribute, text, offset));
        else if (attribute.IsText)
            Refuse(@"a backslash begins \\, \n, \t or \u{...} with a character's number");
        else if (value.Length == 0)
            Refuse("it has no value");
        else
            taken.Add((attribute, value, offset));

        void Refuse(string why) => Problems = Problems.Add(new PolicyProblem(offset, new Problem($"{attribute.Name}: {why}")));
    }

    private static EntryAttribute? Find(ReadOnlySpan<char> name)
    {
        foreach (var attribute in EntryAttributes.All)
        {
            if (name.Equals(attribute.Name, StringComparison.OrdinalIgnoreCase))
                return attribute;
        }

        return null;
    }
}
