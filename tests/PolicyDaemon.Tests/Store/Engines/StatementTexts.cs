using System.Reflection;
using System.Reflection.Emit;
using PolicyDaemon.Store;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>The SQL texts of the store's library, read from its compiled methods: literals, and what <c>string.Concat</c> makes of literals and of static fields.</summary>
internal static class StatementTexts
{
    private static readonly string[] Verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];

    // What speaks to one engine alone, and to another program's database.
    private static readonly string[] OfOneEngine = ["PolicyDaemon.Store.Engines", "PolicyDaemon.Store.Discovery.ResolverCache", "PolicyDaemon.Store.StoreCopy"];

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>Each text once.</summary>
    internal static IReadOnlyList<string> All() =>
    [
        .. typeof(PolicyStore).Assembly.GetTypes().Where(type => !OfOneEngine.Any(name => type.FullName!.StartsWith(name, StringComparison.Ordinal)))
            .SelectMany(type => type.GetMembers(BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance))
            .OfType<MethodBase>().SelectMany(TextsOf)
            .Where(text => Verbs.Any(verb => text.StartsWith(verb, StringComparison.Ordinal)))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ];

    private static List<string> TextsOf(MethodBase method)
    {
        var texts = new List<string>();
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? 0xFE00 | code[at + 1] : code[at];
            at += value > 0xFF ? 2 : 1;
            var operation = OpCodesByValue[value];
            if (operation == OpCodes.Ldstr)
                texts.Add(method.Module.ResolveString(BitConverter.ToInt32(code, at)));
            else if (operation == OpCodes.Ldsfld && FieldOf(method, BitConverter.ToInt32(code, at)) is { FieldType.Name: "String" } field)
                texts.Add((string?)field.GetValue(null) ?? "");
            else if (operation == OpCodes.Call && CalledBy(method, BitConverter.ToInt32(code, at)) is { Name: nameof(string.Concat) } concat && concat.DeclaringType == typeof(string))
                Join(texts, concat.GetParameters().Length);
            at += SizeOf(operation, code, at);
        }

        return texts;
    }

    private static void Join(List<string> texts, int parts)
    {
        if (texts.Count < parts)
            return;
        var whole = string.Concat(texts[^parts..]);
        texts.RemoveRange(texts.Count - parts, parts);
        texts.Add(whole);
    }

    private static FieldInfo? FieldOf(MethodBase method, int token)
    {
        try
        {
            return method.Module.ResolveField(token, method.DeclaringType!.GetGenericArguments(), null);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static MethodBase? CalledBy(MethodBase method, int token)
    {
        try
        {
            return method.Module.ResolveMethod(token, method.DeclaringType!.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static int SizeOf(OpCode operation, byte[] code, int at) => operation.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
        _ => 4,
    };
}
