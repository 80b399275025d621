namespace PolicyDaemon.Core.Configuration;

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
