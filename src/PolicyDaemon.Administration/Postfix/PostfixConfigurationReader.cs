namespace PolicyDaemon.Administration.Postfix;

/// <summary>Reads what postconf(1) prints of a Postfix.</summary>
public static class PostfixConfigurationReader
{
    /// <summary>Asks postconf(1) for parameters and services.</summary>
    /// <param name="postconf">Runs <c>postconf</c> with these arguments and returns what it prints; what it throws goes through.</param>
    /// <param name="directory">The configuration directory; null for Postfix's own.</param>
    public static PostfixConfiguration Read(Func<IReadOnlyList<string>, string> postconf, string? directory)
    {
        ArgumentNullException.ThrowIfNull(postconf);
        string Ask(string option) => postconf(directory is null ? [option] : ["-c", directory, option]);
        return Parse(Ask("-x"), Ask("-n"), Ask("-M"), Ask("-P"), directory);
    }

    /// <param name="expanded">What <c>postconf -x</c> prints.</param>
    /// <param name="explicitly">What <c>postconf -n</c> prints.</param>
    /// <param name="services">What <c>postconf -M</c> prints.</param>
    /// <param name="overrides">What <c>postconf -P</c> prints.</param>
    public static PostfixConfiguration Parse(string expanded, string explicitly, string services, string overrides, string? directory)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Assignments(expanded))
            values[name] = value;
        var byService = Assignments(overrides).ToLookup(
            pair => pair.Name[..Math.Max(pair.Name.LastIndexOf('/'), 0)], StringComparer.Ordinal);
        // master.cf(5): "-" means the default, which is "no" from compatibility level 1 on.
        var chrootByDefault = values.GetValueOrDefault("compatibility_level", "0").Trim() == "0";
        return new PostfixConfiguration(
            values,
            Assignments(explicitly).Select(pair => pair.Name).ToHashSet(StringComparer.Ordinal),
            [.. Lines(services).Select(line => Service(line, chrootByDefault, byService)).OfType<PostfixService>()],
            directory);
    }

    private static PostfixService? Service(
        string line, bool chrootByDefault, ILookup<string, (string Name, string Value)> overrides)
    {
        // name type private unpriv chroot wakeup maxproc command...
        var fields = line.Split((char[]?)null, 9, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 8)
            return null;
        var name = $"{fields[0]}/{fields[1]}";
        return new PostfixService(
            fields[0],
            fields[1],
            fields[4] == "y" || (fields[4] == "-" && chrootByDefault),
            fields[7],
            overrides[name].ToDictionary(pair => pair.Name[(name.Length + 1)..], pair => pair.Value, StringComparer.Ordinal));
    }

    private static IEnumerable<(string Name, string Value)> Assignments(string text)
    {
        foreach (var line in Lines(text))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                yield return (line[..equals].Trim(), line[(equals + 1)..].Trim());
        }
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Splits a list in main.cf as Postfix does: at commas and blanks outside braces (postconf(5), "{ }").</summary>
public static class PostfixList
{
    public static IReadOnlyList<string> Split(string value)
    {
        var items = new List<string>();
        var depth = 0;
        var start = -1;
        for (var i = 0; i <= value.Length; i++)
        {
            var character = i < value.Length ? value[i] : ',';
            if (character == '{')
                depth++;
            else if (character == '}')
                depth--;
            var separates = depth <= 0 && (character == ',' || char.IsWhiteSpace(character));
            if (!separates && start < 0)
                start = i;
            if ((separates || i == value.Length) && start >= 0)
            {
                items.Add(value[start..i]);
                start = -1;
            }
        }

        return items;
    }
}
