namespace PolicyDaemon.Core.Configuration;

/// <summary>A value with the place it was written, so that whoever understands it can complain about the right line.</summary>
/// <param name="Text">The value.</param>
/// <param name="File">The file; <c>built-in default</c> where no file says otherwise.</param>
/// <param name="Line">The line, from 1; 0 for a default.</param>
/// <param name="Key">The key as <c>section.name</c>.</param>
public sealed record ConfiguredValue(string Text, string File, int Line, string Key)
{
    public ConfigurationProblem Problem(string message) => new(File, Line, Key, message);
}
