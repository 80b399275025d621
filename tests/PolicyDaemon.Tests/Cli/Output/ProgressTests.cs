using PolicyDaemon.Cli.Output;
using Xunit;

namespace PolicyDaemon.Tests.Cli.Output;

public sealed class ProgressTests
{
    [Theory]
    [InlineData("probing [mx.example.com]:587", "probing [[mx.example.com]]:587")]
    [InlineData("probing [192.0.2.1]", "probing [[192.0.2.1]]")]
    [InlineData("probing\u001b[2J", "probing\\u{001B}[[2J")]
    public void Brackets_in_what_is_going_on_are_no_markup(string what, string description) =>
        Assert.Equal(description, Progress.Description(what));
}
