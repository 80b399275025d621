namespace PolicyDaemon.Core.Configuration;

/// <summary>One thing wrong with the configuration, with its place.</summary>
/// <param name="File">The file's name as given.</param>
/// <param name="Line">The line, from 1; 0 where the file as a whole is meant.</param>
/// <param name="Key">The key as <c>section.name</c>; empty where none is concerned.</param>
/// <param name="Message">What is wrong and what to write instead.</param>
public sealed record ConfigurationProblem(string File, int Line, string Key, string Message)
{
    public override string ToString() =>
        $"{File}{(Line > 0 ? $":{Line}" : "")}: {(Key.Length > 0 ? $"{Key}: " : "")}{Message}";
}

/// <summary>The configuration cannot be used. Programs print every problem and exit with status 5.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems)
    : Exception(string.Join(Environment.NewLine, problems))
{
    public ConfigurationException(string file, int line, string key, string message)
        : this([new ConfigurationProblem(file, line, key, message)])
    {
    }

    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;
}
