namespace PolicyDaemon.Cli.Setup;

/// <summary>A parameter of main.cf with the value it is to have.</summary>
internal sealed record MainCfEdit(string Parameter, string Value)
{
    public override string ToString() => $"{Parameter} = {Value}";
}
