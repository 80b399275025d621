using System.Collections.Immutable;
using System.Globalization;

namespace PolicyDaemon.Core.Configuration;

/// <summary>The values of a configuration, by key and by type; what cannot be understood is noted with its line.</summary>
/// <param name="file">Stands in messages about defaults.</param>
internal sealed class SettingValues(string file)
{
    private readonly Dictionary<string, ConfiguredValue> values = new(StringComparer.Ordinal);

    private static string Sections { get; } =
        $"the sections are {string.Join(", ", ConfigurationKeys.All.Select(known => $"[{known.Section}]").Distinct())}";

    public List<ConfigurationProblem> Problems { get; } = [];

    public void Parse(ReadOnlySpan<byte> bytes)
    {
        var sections = new List<(string Name, int Line)>();
        var found = IniFile.Parse(file, bytes, Problems, sections);
        foreach (var (name, line) in sections)
        {
            // Its keys are complained about by themselves.
            if (!ConfigurationKeys.All.Any(key => key.Section == name) && !found.Any(value => value.Key.StartsWith(name + ".", StringComparison.Ordinal)))
                Problems.Add(new(file, line, "", $"there is no section [{name}]; {Sections}"));
        }

        foreach (var value in found)
        {
            if (!ConfigurationKeys.All.Any(key => key.FullName == value.Key))
                Problems.Add(value.Problem($"there is no such key{Suggestion(value.Key)}"));
            else if (!values.TryAdd(value.Key, value))
                Problems.Add(value.Problem($"already set on line {values[value.Key].Line}; keep one"));
        }
    }

    public ConfiguredValue Value(ConfigurationKey key) =>
        values.GetValueOrDefault(key.FullName) ?? new ConfiguredValue(key.Default, SettingsReader.NoFile, 0, key.FullName);

    /// <summary>Takes a value for granted where the file has none.</summary>
    public void Assume(ConfigurationKey key, string text) => values.TryAdd(key.FullName, new ConfiguredValue(text, file, 0, key.FullName));

    /// <summary>Whether the file has the key, whatever its value.</summary>
    public bool IsSet(ConfigurationKey key) => values.ContainsKey(key.FullName);

    public ImmutableArray<ConfiguredValue> List(ConfigurationKey key)
    {
        var value = Value(key);
        return [.. value.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(item => value with { Text = item })];
    }

    public int Number(ConfigurationKey key, int least, int most)
    {
        var value = Value(key);
        if (int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        Problems.Add(value.Problem($"'{value.Text}' is not a number from {least} to {most}"));
        return least;
    }

    /// <summary>A time between two bounds that are written as the file would write them.</summary>
    public TimeSpan Duration(ConfigurationKey key, string least, string most) => Duration(Value(key), least, most);

    public TimeSpan Duration(ConfiguredValue value, string least, string most)
    {
        _ = Durations.TryParse(least, out var from);
        _ = Durations.TryParse(most, out var to);
        if (Durations.TryParse(value.Text, out var span) && span >= from && span <= to)
            return span;
        Problems.Add(value.Problem($"'{value.Text}' is not a time from {least} to {most}; write a number and one of s, m, h, d, such as 15m"));
        return from;
    }

    public bool YesNo(ConfigurationKey key)
    {
        var value = Value(key);
        if (value.Text is not ("yes" or "no"))
            Problems.Add(value.Problem($"'{value.Text}' is neither yes nor no"));
        return value.Text == "yes";
    }

    public string Absolute(ConfiguredValue value)
    {
        if (!Path.IsPathRooted(value.Text))
            Problems.Add(value.Problem($"'{value.Text}' is not an absolute path"));
        return value.Text;
    }

    private static string Suggestion(string key)
    {
        var name = key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..];
        var elsewhere = ConfigurationKeys.All.FirstOrDefault(known => known.Name == name);
        if (elsewhere is not null)
            return $"; {name} belongs in [{elsewhere.Section}]";
        var section = key[..^(name.Length + 1)];
        var inSection = ConfigurationKeys.All.Where(known => known.Section == section).Select(known => known.Name).ToList();
        return inSection.Count > 0
            ? $"; [{section}] has {string.Join(", ", inSection)}"
            : $"; {Sections}";
    }
}
